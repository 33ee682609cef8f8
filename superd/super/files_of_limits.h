#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "superd/base/launch.h"
#include "superd/config/service_table.h"
#include "superd/serve/access_list.h"

namespace superd {

/// Reads all files that access lists and banners of a table name, as those who serve it will: with the rights of `user`
/// where a handler serves (none: the caller's). What the set files hold; or a line for each file that cannot be read or
/// is wrong, with its service and its key.
[[nodiscard]] std::expected<KnownSets, std::vector<std::string>> read_files_of_limits(
    const ServiceTable&, const std::optional<Launch::Identity>& user);

}  // namespace superd
