#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "superd/base/clock.h"
#include "superd/base/error.h"

namespace superd {

/// "250ms", "30s", "5m", "1h", "2d"; a number alone is not a duration. Errors say what would be right.
[[nodiscard]] Result<Millis> parse_duration(std::string_view text);

/// "4096" or "512B", "64KiB", "10MiB", "1GiB"; bytes.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// The shortest text that parse_duration() reads back as the same value: "90s", "1h", "1500ms".
[[nodiscard]] std::string format_duration(Millis);

/// The shortest text that parse_size() reads back as the same value: "64KiB", "100B".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace superd
