#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace superd {

struct Flaw {
  int line;
  std::string what;
};

/// What in a text's shape would cost the parser more stack or time than a configuration is worth, or nothing.
///
/// toml++ 3.3 destroys nested tables recursively and bounds the parts of a dotted key not at all: `[a.a.a...]` of 100,000
/// parts overflows the stack. It also looks for some tables one by one, so that time grows with the square of
/// their number.
[[nodiscard]] std::optional<Flaw> flaw_of_shape(std::string_view text);

}  // namespace superd
