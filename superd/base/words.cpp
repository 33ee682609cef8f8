#include "superd/base/words.h"

#include <algorithm>
#include <vector>

namespace superd {
namespace {

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, each counted once.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
  // Below the word's own length: else every short candidate would be near a word of one letter.
  const std::size_t allowed = std::min(std::max<std::size_t>(1, word.size() / 3), word.size() - !word.empty());
  std::string_view nearest;
  std::size_t best = allowed + 1;
  for (const auto candidate : candidates) {
    const auto difference = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (candidate.empty() || difference >= best) continue;
    const auto far = distance(word, candidate);
    if (far >= best) continue;
    best = far;
    nearest = candidate;
  }
  return nearest;
}

std::string either_of(std::span<const std::string_view> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

std::string escaped(std::string_view text, std::size_t limit) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string safe;
  safe.reserve(std::min(text.size(), limit) + 3);
  for (const char c : text.substr(0, limit)) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      safe += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    safe += "\\x";
    safe += digits[byte >> 4];
    safe += digits[byte & 15];
  }
  if (text.size() > limit) safe += "...";
  return safe;
}

}  // namespace superd
