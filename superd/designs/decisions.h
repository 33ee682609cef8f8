#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/clock.h"

namespace superd {

/// What a design that adapts itself has decided, why, and the figures behind it: the last ones, a bounded number.
/// Thread-safe; one note costs no allocation, text is made when it is read.
class Decisions {
 public:
  enum class What : std::uint8_t {
    looks_more_often,        ///< somebody was late: hand over sooner
    looks_less_often,        ///< nobody was late for a while
    hands_over_at_once_now,  ///< most are late: do not wait for it
    waits_again,             ///< few are late
    thread_started,          ///< no spare was left
    thread_ended,            ///< a spare was idle for long
    threads_at_bound,        ///< one was late and no thread was to be had: the others wait
    queues_datagrams,        ///< receiving is separated from handling
    handles_in_place,        ///< the queue is empty: together again
  };

  /// The figures a decision rests on; which ones count depends on what was decided.
  struct Figures {
    double late_share = 0;
    std::chrono::nanoseconds cost{}, period{};
    int threads = 0, spares = 0;
  };

  struct Decision {
    Time at;
    What what;
    Figures figures;
    [[nodiscard]] std::string text() const;  ///< one line without the time: what, because of what
  };

  void note(What what, const Figures& figures) noexcept;

  /// The last ones, oldest first.
  [[nodiscard]] std::vector<Decision> recent() const;
  /// How many there have been, those that are forgotten included.
  [[nodiscard]] std::uint64_t count() const noexcept;

 private:
  static constexpr std::size_t kept = 128;

  mutable std::mutex mutex_;
  std::array<Decision, kept> ring_{};
  std::uint64_t count_ = 0;
};

[[nodiscard]] std::string_view name_of(Decisions::What) noexcept;

}  // namespace superd
