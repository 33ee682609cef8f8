#include "superd/serve/hours.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "superd/base/words.h"

namespace superd {

namespace {

constexpr std::string_view names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr int days_in_week = 7, minutes_in_day = 24 * 60;
constexpr std::uint8_t every_day = 0x7f;

std::optional<int> day_of(std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<int>(found - names);
}

std::uint8_t bit(int day) noexcept { return static_cast<std::uint8_t>(1U << day % days_in_week); }

/// "Mon", or "Fri-Mon".
std::optional<std::uint8_t> days_from(std::string_view part) {
  const auto dash = part.find('-');
  const auto first = day_of(part.substr(0, dash));
  const auto last = dash == part.npos ? first : day_of(part.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  std::uint8_t days = 0;
  for (int day = *first;; ++day) {
    days |= bit(day);
    if (day % days_in_week == *last) return days;
  }
}

/// Parts with commas between them.
std::optional<std::uint8_t> days_of(std::string_view list) {
  std::uint8_t days = 0;
  for (;;) {
    const auto comma = list.find(',');
    const auto part = days_from(list.substr(0, comma));
    if (!part) return std::nullopt;
    days |= *part;
    if (comma == list.npos) return days;
    list.remove_prefix(comma + 1);
  }
}

std::optional<int> two_digits(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 2 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  return text.size() == 1 ? text[0] - '0' : (text[0] - '0') * 10 + (text[1] - '0');
}

/// "8:00", "08:00", "24:00" in minutes.
std::optional<std::int16_t> minutes_of(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || text.size() != colon + 3) return std::nullopt;
  const auto hour = two_digits(text.substr(0, colon)), minute = two_digits(text.substr(colon + 1));
  if (!hour || !minute || *minute > 59) return std::nullopt;
  const int minutes = *hour * 60 + *minute;
  if (minutes > minutes_in_day) return std::nullopt;
  return static_cast<std::int16_t>(minutes);
}

std::string text_of_days(std::uint8_t days) {
  std::string text;
  const auto has = [days](int day) { return (days & bit(day)) != 0; };
  // From Monday on, as people count.
  for (int i = 0; i < days_in_week; ++i) {
    const int first = (i + 1) % days_in_week;
    if (!has(first)) continue;
    int last = i;
    while (last + 1 < days_in_week && has(last + 2)) ++last;
    text += (text.empty() ? "" : ",") + std::string(names[first]);
    if (last > i) text += '-' + std::string(names[(last + 1) % days_in_week]);
    i = last;
  }
  return text;
}

}  // namespace

Result<Hours> Hours::parse(std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return error(fmt::format("\"{}\" are no hours: {}", escaped(text, 60), why));
  };
  Hours hours;
  auto times = text;
  if (const auto blank = text.find(' '); blank != text.npos) {
    const auto days = days_of(text.substr(0, blank));
    if (!days) return refused(R"(days are Mon, Tue, Wed, Thu, Fri, Sat, Sun, as in "Mon-Fri" or "Sat,Sun")");
    hours.days = *days;
    times.remove_prefix(blank + 1);
  }
  const auto dash = times.find('-');
  const auto begin = minutes_of(times.substr(0, dash));
  const auto end = dash == times.npos ? std::nullopt : minutes_of(times.substr(dash + 1));
  if (!begin || !end || *begin == minutes_in_day)
    return refused(R"(write when they begin and end, as in "08:00-18:00" or "Mon-Fri 22:00-06:00")");
  if (*begin == *end) return refused(R"(they end when they begin; a whole day is "00:00-24:00")");
  hours.begin = *begin;
  hours.end = *end;
  return hours;
}

std::string Hours::text() const {
  const auto times = fmt::format("{:02}:{:02}-{:02}:{:02}", begin / 60, begin % 60, end / 60, end % 60);
  return days == every_day ? times : text_of_days(days) + ' ' + times;
}

bool Hours::hold(const std::tm& local) const noexcept {
  const int minute = local.tm_hour * 60 + local.tm_min;
  const bool begins_today = (days & bit(local.tm_wday)) != 0;
  if (begin < end) return begins_today && minute >= begin && minute < end;
  const bool began_yesterday = (days & bit(local.tm_wday + days_in_week - 1)) != 0;
  return (begins_today && minute >= begin) || (began_yesterday && minute < end);
}

bool any_hold(std::span<const Hours> hours, const std::tm& local) noexcept {
  return hours.empty() || std::ranges::any_of(hours, [&](const Hours& each) { return each.hold(local); });
}

}  // namespace superd
