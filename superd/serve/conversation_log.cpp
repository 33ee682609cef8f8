#include "superd/serve/conversation_log.h"

#include <algorithm>

namespace superd {

namespace {

constexpr int bits_of_count = 24;
constexpr std::uint64_t most_in_window = (1U << bits_of_count) - 1;

}  // namespace

void ConversationLog::change(const ConversationLogSettings& wanted) noexcept {
  rate_.store(wanted.rate, std::memory_order_relaxed);
  which_.store(wanted.which, std::memory_order_relaxed);
}

bool ConversationLog::allowed(LogRate& lines, std::string_view service, std::string_view of, Counter& left_out,
                              Time now) const noexcept {
  const auto rate = rate_.load(std::memory_order_relaxed);
  if (lines.may_log(service, of, rate ? rate : ConversationLogSettings{}.rate, now)) return true;
  left_out.add();
  return false;
}

bool LogRate::may_log(std::string_view service, std::string_view of, std::uint32_t rate, Time now) noexcept {
  const auto second = static_cast<std::uint64_t>(std::chrono::floor<Seconds>(now.time_since_epoch()).count());
  auto seen = window_.load(std::memory_order_relaxed);
  for (;;) {
    // Who looked at the clock a little earlier belongs to the second that has begun.
    const bool is_new = (seen >> bits_of_count) < second;
    const auto count = is_new ? 0 : seen & most_in_window;
    if (count >= std::min<std::uint64_t>(rate, most_in_window)) {
      left_out_.add();
      return false;
    }
    const auto counted = is_new ? (second << bits_of_count) + 1 : seen + 1;
    if (!window_.compare_exchange_weak(seen, counted, std::memory_order_relaxed)) continue;
    if (is_new) tell_left_out(service, of);
    return true;
  }
}

void LogRate::tell_left_out(std::string_view service, std::string_view of) noexcept {
  const auto total = left_out_.value(), before = told_.exchange(total, std::memory_order_relaxed);
  if (total <= before) return;
  log_event(Severity::warning, "lines left out of the log",
            {
                {"service", service              },
                {"of",      of                   },
                {"count",   total - before       },
                {"why",     "log_rate is reached"}
  });
}

}  // namespace superd
