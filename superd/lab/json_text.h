#pragma once

#include <string>
#include <string_view>

#include "superd/base/words.h"

namespace superd {

/// A string of JSON (RFC 8259, 7). What is not printable ASCII becomes \xNN in its text, as everywhere else.
[[nodiscard]] inline std::string json_quoted(std::string_view text) {
  std::string made = "\"";
  for (const char letter : escaped(text)) {
    if (letter == '"' || letter == '\\') made += '\\';
    made += letter;
  }
  return made + '"';
}

}  // namespace superd
