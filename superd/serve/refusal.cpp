#include "superd/serve/refusal.h"

#include <iterator>
#include <new>
#include <utility>

#include "superd/base/log.h"

namespace superd {

namespace {
// In the order of the enumeration.
constexpr RefusalEntry table[] = {
    {"access",     &Counters::refused_access},
    {"hours",      &Counters::refused_hours },
    {"max_load",   &Counters::refused_load  },
    {"rate",       &Counters::refused_rate  },
    {"per_client", &Counters::refused_client},
    {"per_prefix", &Counters::refused_prefix},
    {"level",      &Counters::refused_level },
    {"memory",     &Counters::out_of_memory },
};
static_assert(std::size(table) == std::to_underlying(Refusal::memory) + 1);
}  // namespace

const RefusalEntry& entry_of(Refusal why) noexcept { return table[std::to_underlying(why)]; }

void RefusalLog::note(Refusal why, const Endpoint& client, Time now) noexcept {
  static_assert(std::size(table) == std::tuple_size_v<decltype(lines_)>);
  if (now >= next()) tell_rest(now);
  auto& line = lines_[std::to_underlying(why)];
  const auto before = line.count.fetch_add(1, std::memory_order_relaxed);
  if (before == 0) begin_minute(line, now);
  if (before < told_each) tell_one(why, client);
}

void RefusalLog::begin_minute(Line& line, Time now) noexcept {
  line.begun.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  const auto due = (now + minute).time_since_epoch().count();
  auto next = next_.load(std::memory_order_relaxed);
  while (due < next && !next_.compare_exchange_weak(next, due, std::memory_order_relaxed)) {
  }
}

void RefusalLog::tell_rest(Time now) noexcept {
  auto due = next_.load(std::memory_order_relaxed);
  constexpr auto none = never.time_since_epoch().count();
  // One thread does it.
  if (now < Time(Clock::duration(due)) || !next_.compare_exchange_strong(due, none, std::memory_order_relaxed)) return;
  Clock::rep next = none;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    auto& line = lines_[i];
    const auto begun = line.begun.load(std::memory_order_relaxed);
    if (begun == 0) continue;
    const auto end = begun + minute.count();
    if (end > now.time_since_epoch().count()) {
      next = std::min(next, end);
      continue;
    }
    line.begun.store(0, std::memory_order_relaxed);
    const auto count = line.count.exchange(0, std::memory_order_relaxed);
    if (count > told_each) tell_more(static_cast<Refusal>(i), count - told_each);
  }
  auto other = next_.load(std::memory_order_relaxed);
  while (next < other && !next_.compare_exchange_weak(other, next, std::memory_order_relaxed)) {
  }
}

void RefusalLog::tell_one(Refusal why, const Endpoint& client) const noexcept try {
  log_event(Severity::info, "refused",
            {
                {"service", service_          },
                {"client",  client.text()     },
                {"why",     entry_of(why).name}
  });
} catch (const std::bad_alloc&) {
  // No memory for the words; it is counted all the same.
}

void RefusalLog::tell_more(Refusal why, std::uint32_t count) const noexcept {
  log_event(Severity::info, "refused more",
            {
                {"service", service_          },
                {"why",     entry_of(why).name},
                {"count",   count             },
                {"within",  "1m"              }
  });
}

}  // namespace superd
