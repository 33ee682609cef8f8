#include "superd/base/seccomp.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>

namespace superd {

namespace {

using Filter = Confinement::Filter;

// What changes the machine, looks into other processes, or has had more than its share of the kernel's faults; no server
// of one conversation needs any of it.
constexpr std::string_view dangerous[] = {
    // other processes
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "pidfd_getfd",
    // the file system's shape
    "mount",
    "umount",
    "umount2",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "pivot_root",
    "chroot",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    "name_to_handle_at",
    "open_by_handle_at",
    // namespaces
    "unshare",
    "setns",
    // the kernel itself
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "syslog",
    "lookup_dcookie",
    "acct",
    "fanotify_init",
    "iopl",
    "ioperm",
    "modify_ldt",
    "vm86",
    "vm86old",
    "nfsservctl",
    "_sysctl",
    "uselib",
    "vhangup",
    "personality",
    // the time and the name of the machine
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "stime",
    "sethostname",
    "setdomainname",
};

// A ring does what the filter never sees.
constexpr std::string_view by_ring[] = {"io_uring_setup", "io_uring_enter", "io_uring_register"};

struct Release {
  void operator()(void* context) const noexcept { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

constexpr std::uint32_t forbidden = SCMP_ACT_ERRNO(EPERM);

int forbid(const Context& context, std::string_view name, std::span<const scmp_arg_cmp> when = {}) {
  const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
  // One that this architecture has not cannot be called.
  if (number == __NR_SCMP_ERROR || number < 0) return 0;
  const int code = seccomp_rule_add_array(context.get(), forbidden, number, static_cast<unsigned>(when.size()),
                                          when.empty() ? nullptr : when.data());
  // Two filters may forbid the same.
  return code == -EEXIST ? 0 : code;
}

int forbid_all(const Context& context, std::span<const std::string_view> names) {
  for (const auto name : names)
    if (const int code = forbid(context, name)) return code;
  return 0;
}

// The sockets that it was given go on; it makes none but local ones, which system logs and accounts are asked by.
int forbid_network(const Context& context) {
  const scmp_arg_cmp not_local[] = {SCMP_A0(SCMP_CMP_NE, AF_UNIX)};
  if (const int code = forbid(context, "socket", not_local)) return code;
  return forbid_all(context, by_ring);
}

int forbid_programs(const Context& context, const char* const* words) {
  const scmp_arg_cmp not_ours[] = {SCMP_A1(SCMP_CMP_NE, reinterpret_cast<std::uintptr_t>(words))};
  if (const int code = forbid(context, "execve", not_ours)) return code;
  return forbid(context, "execveat");
}

int add(const Context& context, Filter filter, const char* const* words) {
  switch (filter) {
    case Filter::confined: return forbid_all(context, dangerous);
    case Filter::no_network: return forbid_network(context);
    case Filter::no_new_programs: return forbid_programs(context, words);
  }
  return -EINVAL;
}

Result<std::vector<sock_filter>> export_program(const Context& context) {
  const int file = memfd_create("seccomp", MFD_CLOEXEC);
  if (file < 0) return system_error("memfd_create for a seccomp filter");
  std::vector<sock_filter> program;
  int code = -seccomp_export_bpf(context.get(), file);
  struct stat about{};
  if (code == 0 && fstat(file, &about) != 0) code = errno;
  if (code == 0) {
    program.resize(static_cast<std::size_t>(about.st_size) / sizeof(sock_filter));
    if (pread(file, program.data(), static_cast<std::size_t>(about.st_size), 0) != about.st_size) code = EIO;
  }
  close(file);
  if (code != 0) return system_error("export a seccomp filter", code);
  return program;
}

}  // namespace

std::span<const std::string_view> calls_forbidden_by(Filter filter) noexcept {
  return filter == Filter::confined ? std::span<const std::string_view>(dangerous)
                                    : std::span<const std::string_view>();
}

Result<std::vector<sock_filter>> make_filter(std::span<const Filter> filters, const char* const* words) {
  if (filters.empty()) return std::vector<sock_filter>{};
  const Context context(seccomp_init(SCMP_ACT_ALLOW));
  if (!context) return system_error("seccomp_init", ENOMEM);
  int code = seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, forbidden);
  for (const auto filter : filters)
    if (code == 0) code = add(context, filter, words);
  if (code != 0) return system_error("make a seccomp filter", -code);
  return export_program(context);
}

}  // namespace superd
