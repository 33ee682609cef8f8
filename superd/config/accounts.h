#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace superd {

/// A line of passwd(5).
struct Account {
  std::string name;
  uid_t id;
  gid_t group;
};

/// What the system knows by a name (getpwnam(3), getgrnam(3)), or an account by its number; nothing where it knows none.
/// May ask over the network.
[[nodiscard]] std::optional<Account> account_called(const std::string& name);
[[nodiscard]] std::optional<Account> account_of(uid_t number);
[[nodiscard]] std::optional<gid_t> group_called(const std::string& name);

/// All groups it is in, its own among them (getgrouplist(3)).
[[nodiscard]] std::vector<gid_t> groups_of(const Account&);

}  // namespace superd
