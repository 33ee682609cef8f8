#pragma once

#include <string>
#include <string_view>

namespace superd {

/// A string as JSON has it, with its quotes (RFC 8259, 7); bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace superd
