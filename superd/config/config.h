#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "superd/config/service_table.h"

namespace superd {

/// Reads a configuration in TOML. `name` stands before the line in messages.
/// Every error comes at once, each a line: "file:line: key: what: remedy", with the nearest legal word for a misspelt
/// one. Nothing is half read: there is a table, or there are errors.
[[nodiscard]] std::expected<ServiceTable, std::vector<std::string>> parse_config(std::string_view text,
                                                                                 std::string_view name);

/// The same from a file, with all that it includes. A file that cannot be read is one error. Never blocks on what is no
/// regular file. Files of a directory that are wrong, where the file says `include_errors = "skip"`, are left out of the
/// table, and what is wrong with them goes to `skipped`.
[[nodiscard]] std::expected<ServiceTable, std::vector<std::string>> read_config(
    const std::string& path, std::vector<std::string>* skipped = nullptr);

/// A table as TOML that reads back equal, all defaults written out, each key with its meaning as a comment.
[[nodiscard]] std::string print_config(const ServiceTable&);

/// The chapter's super server (slides 70 to 81): echo, discard, chargen, daytime, time and qotd over TCP and UDP on the
/// loopback, with a port base of 10000.
[[nodiscard]] std::string_view default_config() noexcept;

}  // namespace superd
