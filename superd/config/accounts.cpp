#include "superd/config/accounts.h"

#include <grp.h>
#include <pwd.h>

#include <array>

namespace superd {

namespace {

// A line of /etc/passwd; groups list their members, of whom there may be hundreds.
using Room = std::array<char, 65536>;

std::optional<Account> account(int code, const passwd* found) {
  if (code != 0 || !found) return std::nullopt;
  return Account{found->pw_name, found->pw_uid, found->pw_gid};
}

}  // namespace

std::optional<Account> account_called(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  Room room;
  const int code = getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  return account(code, found);
}

std::optional<Account> account_of(uid_t number) {
  passwd entry{};
  passwd* found = nullptr;
  Room room;
  const int code = getpwuid_r(number, &entry, room.data(), room.size(), &found);
  return account(code, found);
}

std::optional<gid_t> group_called(const std::string& name) {
  group entry{};
  group* found = nullptr;
  Room room;
  if (getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) return std::nullopt;
  return found->gr_gid;
}

std::vector<gid_t> groups_of(const Account& account) {
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  if (getgrouplist(account.name.c_str(), account.group, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    (void)getgrouplist(account.name.c_str(), account.group, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

}  // namespace superd
