#pragma once

#include <optional>
#include <string>

#include "superd/base/error.h"
#include "superd/base/launch.h"

namespace superd {

/// Whose rights the hosts of a superd have: the user that is wanted; without a wish nobody's where this process is root's,
/// and the process's own else, which is no identity; so too in a user namespace where nobody is not known. An error where
/// the wish needs root.
[[nodiscard]] Result<std::optional<Launch::Identity>> host_identity(const std::optional<Launch::Identity>& wanted);

/// Gives up all privileges of the calling process, for good, before it has other threads: groups, group and user of the
/// identity, all capabilities with their bounding set, and what set-user-id programs could give back
/// (PR_SET_NO_NEW_PRIVS). In that order, as each needs the privileges that the later ones take. That the user cannot
/// become root again is tried. Without an identity the user stays, the rest goes.
[[nodiscard]] Result<> drop_privileges(const std::optional<Launch::Identity>& identity) noexcept;

}  // namespace superd
