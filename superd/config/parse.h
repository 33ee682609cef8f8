#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "superd/config/service_table.h"
#include "superd/config/sources.h"

namespace superd {

/// A text, and the file that it is from.
struct Source {
  std::string name;
  std::string_view text;
  FileIdentity identity{};  ///< none: it includes nothing
};

/// Reads it with all that it includes, as read_config() does.
[[nodiscard]] std::expected<ServiceTable, std::vector<std::string>> parse_sources(const Source& main,
                                                                                  std::vector<std::string>* skipped);

}  // namespace superd
