#include "superd/base/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace superd {

namespace {

// include/uapi/linux/capability.h, in the order of their numbers.
constexpr std::string_view names[] = {
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
};
static_assert(names[CAP_NET_BIND_SERVICE] == "net_bind_service" && names[CAP_SYSLOG] == "syslog" &&
              std::size(names) == CAP_LAST_CAP + 1);

using Words = __user_cap_data_struct[2];

constexpr std::uint64_t bit(int number) noexcept { return std::uint64_t{1} << number; }

__user_cap_header_struct header() noexcept { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

bool read(Words& words) noexcept {
  auto who = header();
  return syscall(SYS_capget, &who, words) == 0;
}

}  // namespace

std::span<const std::string_view> capability_names() noexcept { return names; }

int last_capability() noexcept {
  int last = CAP_LAST_CAP;
  while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  while (prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0) ++last;
  return last;
}

bool has_capability(int number) noexcept {
  Words words{};
  return read(words) && (words[number / 32].effective & (1U << (number % 32)));
}

std::uint64_t permitted_capabilities() noexcept {
  Words words{};
  if (!read(words)) return 0;
  return words[0].permitted | std::uint64_t{words[1].permitted} << 32;
}

CapabilitySet::CapabilitySet(std::span<const int> kept) noexcept : last_(last_capability()) {
  for (const int number : kept) kept_ |= bit(number);
}

bool CapabilitySet::prepare() const noexcept {
  for (int number = 0; number <= last_; ++number)
    if (!(kept_ & bit(number)) && syscall(SYS_prctl, PR_CAPBSET_DROP, number, 0, 0, 0) != 0) return false;
  return syscall(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0;
}

bool CapabilitySet::take() const noexcept {
  auto who = header();
  const auto low = static_cast<std::uint32_t>(kept_), high = static_cast<std::uint32_t>(kept_ >> 32);
  const Words words{
      {low,  low,  low },
      {high, high, high}
  };
  if (syscall(SYS_capset, &who, words) != 0) return false;
  for (int number = 0; number <= last_; ++number)
    if (kept_ & bit(number) && syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0)
      return false;
  return true;
}

}  // namespace superd
