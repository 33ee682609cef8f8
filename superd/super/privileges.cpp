#include "superd/super/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace superd {

namespace {

Result<> become(const Launch::Identity& identity) noexcept {
  const auto& [name, user, group, groups] = identity;
  if (setgroups(groups.size(), groups.data()) != 0) return system_error("setgroups for user " + name);
  if (setresgid(group, group, group) != 0) return system_error("setresgid for user " + name);
  if (setresuid(user, user, user) != 0) return system_error("setresuid for user " + name);
  if (user != 0 && setresuid(static_cast<uid_t>(-1), 0, static_cast<uid_t>(-1)) == 0)
    return error("user " + name + " can become root again");
  return {};
}

// EINVAL: the last one that this kernel has was before it. EPERM: whoever may not cut it has nothing to give on.
void empty_bounding_set() noexcept {
  for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) continue;
}

Result<> drop_capabilities() noexcept {
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, nothing) != 0) return system_error("give up capabilities");
  return {};
}

// As the kernel has it where nobody else is known (overflowuid): a chroot need not have a passwd(5).
constexpr unsigned nobody = 65534;

/// Whether a map of user_namespaces(7) has this number: lines of "INSIDE OUTSIDE COUNT". Without such a file all are there.
bool has_number(const char* map, unsigned number) {
  std::ifstream file(map);
  if (!file) return true;
  for (unsigned long first = 0, outside = 0, count = 0; file >> first >> outside >> count;)
    if (number >= first && number - first < count) return true;
  return false;
}

/// False in a user namespace whose root has no other user to become, as `unshare -r` makes it.
bool can_become_nobody() {
  std::string groups;
  std::ifstream("/proc/self/setgroups") >> groups;
  return groups != "deny" && has_number("/proc/self/uid_map", nobody) && has_number("/proc/self/gid_map", nobody);
}

}  // namespace

Result<std::optional<Launch::Identity>> host_identity(const std::optional<Launch::Identity>& wanted) {
  const bool is_root = geteuid() == 0;
  if (!wanted) {
    if (!is_root || !can_become_nobody()) return std::nullopt;
    return Launch::Identity{.name = "nobody", .user = nobody, .group = nobody, .groups = {nobody}};
  }
  if (is_root) return wanted;
  if (wanted->user == geteuid()) return std::nullopt;
  return error(fmt::format("host_user: superd runs as user {}, who cannot become {}: start it as root, or leave it out",
                           geteuid(), wanted->name));
}

Result<> drop_privileges(const std::optional<Launch::Identity>& identity) noexcept {
  // Needs CAP_SETPCAP, which a change of user takes.
  empty_bounding_set();
  if (identity)
    if (auto changed = become(*identity); !changed) return changed;
  if (auto dropped = drop_capabilities(); !dropped) return dropped;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_error("PR_SET_NO_NEW_PRIVS");
  return {};
}

}  // namespace superd
