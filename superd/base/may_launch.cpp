#include "superd/base/may_launch.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "superd/base/capabilities.h"
#include "superd/base/landlock.h"

namespace superd {

namespace {

std::unexpected<Error> lacks(std::string_view key, std::string_view right) {
  return std::unexpected(Error{std::string(key) + ": superd has not the right for that, which is CAP_" +
                                   std::string(right) + ": start it as root, or leave the key out",
                               EPERM});
}

Result<> may_become(const Launch& wanted) {
  const auto& identity = wanted.identity;
  if (identity && !is_own_identity(*identity)) {
    if (!has_capability(CAP_SETUID)) return lacks("user", "SETUID");
    if (!has_capability(CAP_SETGID)) return lacks("user", "SETGID");
  }
  if (wanted.confinement.groups && !has_capability(CAP_SETGID)) return lacks("user_groups", "SETGID");
  if (!wanted.root.empty() && !has_capability(CAP_SYS_CHROOT)) return lacks("root", "SYS_CHROOT");
  return {};
}

Result<> may_raise(const Launch& wanted) {
  if (wanted.nice < 0 && !has_capability(CAP_SYS_NICE)) return lacks("nice", "SYS_NICE");
  for (const auto& [resource, most] : wanted.bounds) {
    rlimit now{};
    if (prlimit(0, static_cast<__rlimit_resource>(resource), nullptr, &now) != 0) continue;
    if (most > now.rlim_max && !has_capability(CAP_SYS_RESOURCE)) return lacks("rlimits", "SYS_RESOURCE");
  }
  return {};
}

Result<> may_keep(const Launch& wanted) {
  const auto& kept = wanted.confinement.capabilities;
  if (!kept) return {};
  if (!has_capability(CAP_SETPCAP)) return lacks("capabilities", "SETPCAP");
  const auto permitted = permitted_capabilities();
  for (const int number : *kept) {
    if (permitted & (std::uint64_t{1} << number)) continue;
    return error("capabilities: superd has not \"" + std::string(capability_names()[static_cast<std::size_t>(number)]) +
                 "\" itself, so that no program can have it from it: leave it out");
  }
  return {};
}

Result<> can_confine(const Confinement& wanted) {
  if (!wanted.filters.empty() && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL)
    return error("seccomp: this kernel has no filters of system calls: leave it out");
  if (!wanted.has_paths() || wanted.best_effort || landlock_version() > 0) return {};
  return error(
      "read_paths, write_paths, execute_paths: this kernel has no Landlock, or it is switched off: leave them "
      "out, or write best_effort = true");
}

}  // namespace

bool is_own_identity(const Launch::Identity& identity) noexcept {
  uid_t user = 0, effective = 0, saved = 0;
  gid_t group = 0, effective_group = 0, saved_group = 0;
  (void)getresuid(&user, &effective, &saved);
  (void)getresgid(&group, &effective_group, &saved_group);
  return user == identity.user && effective == user && saved == user && group == identity.group &&
         effective_group == group && saved_group == group;
}

Result<> may_launch(const Launch& wanted) {
  if (auto may = may_become(wanted); !may) return may;
  if (auto may = may_raise(wanted); !may) return may;
  if (auto may = may_keep(wanted); !may) return may;
  return can_confine(wanted.confinement);
}

}  // namespace superd
