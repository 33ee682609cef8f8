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

bool ConversationLog::may_log(std::string_view service, Counter& left_out, Time now) noexcept {
  const auto second = static_cast<std::uint64_t>(std::chrono::floor<Seconds>(now.time_since_epoch()).count());
  // What is an error in any case is also logged where nobody has set a rate.
  const std::uint64_t set = rate_.load(std::memory_order_relaxed), rate = set ? set : ConversationLogSettings{}.rate;
  auto seen = window_.load(std::memory_order_relaxed);
  std::uint64_t count = 0;
  do {
    // A thread whose look at the clock is a little older belongs to the second that has begun.
    const bool is_new = (seen >> bits_of_count) < second;
    count = is_new ? 0 : seen & most_in_window;
    if (count >= std::min(rate, most_in_window)) {
      left_out.add();
      return false;
    }
    const auto window = is_new ? second << bits_of_count : seen & ~most_in_window;
    if (window_.compare_exchange_weak(seen, window | (count + 1), std::memory_order_relaxed)) break;
  } while (true);
  if (count != 0) return true;
  const auto total = left_out.value(), before = told_.exchange(total, std::memory_order_relaxed);
  if (total > before)
    log_event(Severity::warning, "conversations left out of the log",
              {
                  {"service", service              },
                  {"count",   total - before       },
                  {"why",     "log_rate is reached"}
    });
  return true;
}

}  // namespace superd
