#include "superd/base/landlock.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace superd {

namespace {

// include/uapi/linux/landlock.h; the headers of the system may be older than its kernel.
constexpr std::uint64_t execute = 1 << 0, write_file = 1 << 1, read_file = 1 << 2, read_dir = 1 << 3,
                        truncate = 1 << 14, ioctl_device = 1 << 15;
constexpr std::uint64_t remove_and_make = 0x1ff0;  // from REMOVE_DIR to MAKE_SYM
constexpr std::uint64_t refer = 1 << 13;
constexpr std::uint64_t of_files = execute | write_file | read_file | truncate | ioctl_device;

constexpr std::uint64_t reading = read_file | read_dir;
constexpr std::uint64_t writing = reading | write_file | remove_and_make | refer | truncate | ioctl_device;
constexpr std::uint64_t executing = execute | reading;

constexpr unsigned long create_ruleset_version = 1;
constexpr int rule_path_beneath = 1;
constexpr int create_ruleset = 444, add_rule = 445, restrict_self = 446;  // on every architecture

struct PathBeneath {
  std::uint64_t allowed;
  std::int32_t parent;
} __attribute__((packed));

/// What each version brought.
std::uint64_t known_rights(int version) noexcept {
  std::uint64_t rights = execute | write_file | reading | remove_and_make;
  if (version >= 2) rights |= refer;
  if (version >= 3) rights |= truncate;
  if (version >= 5) rights |= ioctl_device;
  return rights;
}

}  // namespace

int landlock_version() noexcept {
  const long version = syscall(create_ruleset, nullptr, 0, create_ruleset_version);
  return version > 0 ? static_cast<int>(version) : 0;
}

std::string_view landlock_leaves_open(int version) noexcept {
  if (version >= 5) return {};
  return version >= 3 ? "ioctl of devices" : "truncate(2) of files, ioctl of devices";
}

Landlock::Landlock(const Confinement& wanted) {
  const int version = landlock_version();
  if (!wanted.has_paths() || version == 0) return;
  handled_ = known_rights(version);
  allow(wanted.read_paths, reading);
  allow(wanted.write_paths, writing);
  allow(wanted.execute_paths, executing);
}

void Landlock::allow(const std::vector<std::string>& paths, std::uint64_t rights) {
  for (const auto& path : paths) rules_.push_back({path, rights & handled_});
}

bool Landlock::add(int rules, const Rule& rule) noexcept {
  const int path = static_cast<int>(syscall(SYS_openat, AT_FDCWD, rule.path.c_str(), O_PATH | O_CLOEXEC));
  if (path < 0) return false;
  PathBeneath beneath{rule.rights, path};
  long code = syscall(add_rule, rules, rule_path_beneath, &beneath, 0);
  // A file has none of the rights of directories.
  if (code != 0 && errno == EINVAL) {
    beneath.allowed &= of_files;
    code = syscall(add_rule, rules, rule_path_beneath, &beneath, 0);
  }
  syscall(SYS_close, path);
  return code == 0;
}

Landlock::Opened Landlock::open() const noexcept {
  const struct {
    std::uint64_t files;
  } handled{handled_};
  Opened opened;
  opened.rules = static_cast<int>(syscall(create_ruleset, &handled, sizeof handled, 0));
  if (opened.rules < 0) return {-1, "landlock_create_ruleset"};
  for (const auto& rule : rules_)
    if (!add(opened.rules, rule)) return {-1, rule.path.c_str()};
  return opened;
}

bool Landlock::enter(int rules) noexcept { return syscall(restrict_self, rules, 0) == 0; }

}  // namespace superd
