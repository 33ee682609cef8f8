#include "superd/serve/rate.h"

#include <algorithm>
#include <charconv>

#include "superd/base/words.h"

namespace superd {

namespace {

struct Period {
  char letter;
  Seconds length;
};
constexpr Period periods[] = {
    {'s', Seconds(1)   },
    {'m', Seconds(60)  },
    {'h', Seconds(3600)}
};

// What a bucket can hold is bounded by the time it takes to fill it (serve/rate_table.h).
constexpr Clock::duration longest_saving = std::chrono::hours(24);

/// The number that the text begins with, which is taken off it; 0: there is none, or it is too large.
std::uint32_t take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || number > Rate::most) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

Result<Rate> parse_rate(std::string_view text) {
  const auto refused = [whole = text](const std::string& why) {
    return error('"' + escaped(whole, 40) + "\" is not a rate: " + why);
  };
  const auto form = "write a number of 1 to " + std::to_string(Rate::most) +
                    R"( and its period, s, m or h, as in "20/s" or "60/m burst 100")";
  Rate rate;
  rate.count = rate.burst = take_number(text);
  if (rate.count == 0 || text.size() < 2 || text[0] != '/') return refused(form);
  const auto* period = std::ranges::find(periods, text[1], &Period::letter);
  if (period == std::end(periods)) return refused(form);
  rate.per = period->length;
  text.remove_prefix(2);

  constexpr std::string_view burst = " burst ";
  if (text.starts_with(burst)) {
    text.remove_prefix(burst.size());
    rate.burst = take_number(text);
  }
  if (rate.burst == 0 || !text.empty()) return refused(form);
  if (rate.interval() * rate.burst > longest_saving) return refused("its burst takes longer than a day: lower it");
  return rate;
}

std::string format_rate(const Rate& rate) {
  const auto* period = std::ranges::find(periods, rate.per, &Period::length);
  const char letter = period == std::end(periods) ? 's' : period->letter;
  auto text = std::to_string(rate.count) + '/' + letter;
  if (rate.burst != rate.count) text += " burst " + std::to_string(rate.burst);
  return text;
}

}  // namespace superd
