#include "superd/services/slow_request.h"

#include <algorithm>
#include <array>
#include <optional>

#include "superd/base/units.h"

namespace superd {

namespace {

using What = SlowStep::What;

struct Name {
  std::string_view text;
  What what;
};
constexpr auto names = std::to_array<Name>({
    {"compute",    What::compute   },
    {"sleep",      What::sleep     },
    {"block",      What::block     },
    {"background", What::background},
});

constexpr std::string_view wrong_name = "bad request: compute, sleep, block or background, and a time";
constexpr std::string_view wrong_time = "bad request: a time is a number and ms or s, as in 20ms";
constexpr std::string_view twice = "bad request: each of them at most once";
constexpr std::string_view too_long = "bad request: more than 10s in all";
// What an empty datagram may be answered with, and a new line.
static_assert(std::max({wrong_name.size(), wrong_time.size(), twice.size(), too_long.size()}) < 64);

/// Cuts the next word off; empty when there is none.
std::string_view next_word(std::string_view& line) {
  constexpr std::string_view blanks = " \t";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const auto word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

std::optional<What> find(std::string_view text) {
  const auto* found = std::ranges::find(names, text, &Name::text);
  if (found == names.end()) return {};
  return found->what;
}

}  // namespace

std::expected<SlowRequest, std::string_view> parse_slow_request(std::string_view line) {
  SlowRequest request;
  Millis sum{0};
  do {
    const auto what = find(next_word(line));
    if (!what) return std::unexpected(wrong_name);
    const auto time = parse_duration(next_word(line));
    if (!time) return std::unexpected(wrong_time);
    if (std::ranges::find(request, *what, &SlowStep::what) != request.end()) return std::unexpected(twice);
    if (*time > longest_slow_request - sum) return std::unexpected(too_long);
    sum += *time;
    request.push_back({*what, *time});
  } while (line.find_first_not_of(" \t") != line.npos);
  return request;
}

std::string text_of(const SlowRequest& request) {
  std::string text;
  for (const auto& [what, time] : request) {
    if (!text.empty()) text += ' ';
    text.append(std::ranges::find(names, what, &Name::what)->text).append(" ").append(format_duration(time));
  }
  return text;
}

}  // namespace superd
