#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace superd {

/// An error of syntax, or of a size that no configuration has.
struct Flaw {
  int line;
  std::string what;
  bool is_final;  ///< what follows is not worth reading
};

/// A text that toml++ 3.3 can be given: without a flaw, it is the whole text; else it ends where the flaw is, so that
/// parsing it fails there or earlier.
///
/// - toml++ destroys nested tables recursively, and bounds the parts of a dotted key not at all: `[a.a.a...]` of 100,000
///   parts overflows the stack.
/// - It looks for some tables one by one, so that time grows with the square of their number.
/// - It reaches __builtin_unreachable() where it tells whether a character beyond ASCII is a blank: anywhere but in
///   comments and in strings of one line. TOML has such characters in strings and comments alone.
struct Guarded {
  std::string text;
  std::optional<Flaw> flaw;
};
[[nodiscard]] Guarded guarded(std::string_view text);

}  // namespace superd
