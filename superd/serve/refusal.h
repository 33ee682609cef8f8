#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"
#include "superd/serve/counters.h"

namespace superd {

/// Why somebody was not let in. Each has its row in refusal_table().
enum class Refusal : std::uint8_t { access, hours, load, rate, client, prefix, level, memory };

struct RefusalEntry {
  std::string_view name;  ///< for the log: the key that said no
  Counter Counters::* counter;
};
[[nodiscard]] const RefusalEntry& entry_of(Refusal) noexcept;

/// Tells who was refused, in lines that are few however many there are: the first ones of a minute each, and at its end
/// how many more there were. Memory is fixed. Thread-safe; each process tells its own.
class RefusalLog {
 public:
  explicit RefusalLog(std::string_view service) noexcept : service_(service) {}

  void note(Refusal why, const Endpoint& client, Time now) noexcept;

  /// When tell_rest() has something to tell; `never` when it has not.
  [[nodiscard]] Time next() const noexcept { return Time(Clock::duration(next_.load(std::memory_order_relaxed))); }
  /// Tells what is left of minutes that are over.
  void tell_rest(Time now) noexcept;

 private:
  static constexpr std::uint32_t told_each = 5;
  static constexpr Clock::duration minute = Seconds(60);

  /// Of one reason: the minute that the first refusal began, and how many there were in it.
  struct Line {
    std::atomic<Clock::rep> begun{0};  ///< 0: none is under way
    std::atomic<std::uint32_t> count{0};
  };
  void begin_minute(Line&, Time now) noexcept;
  void tell_one(Refusal, const Endpoint& client) const noexcept;
  void tell_more(Refusal, std::uint32_t count) const noexcept;

  const std::string_view service_;
  std::array<Line, 8> lines_;
  std::atomic<Clock::rep> next_{never.time_since_epoch().count()};
};

}  // namespace superd
