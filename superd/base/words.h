#pragma once

#include <span>
#include <string>
#include <string_view>

namespace superd {

/// The candidate that a mistyped word most likely meant (edit distance with transpositions, at most a third of the
/// word), or empty when none is near.
[[nodiscard]] std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates);

/// "a", "a or b", "a, b or c".
[[nodiscard]] std::string either_of(std::span<const std::string_view> words);

/// What came from outside, safe in a log line: backslashes and all that is not printable ASCII as \xNN (a terminal obeys
/// control bytes above 127 too), at most `limit` bytes of input
/// and "..." where more was cut.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t limit = 200);

}  // namespace superd
