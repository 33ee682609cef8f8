#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "superd/base/clock.h"

namespace superd {

/// Which probes of a long row have been answered, in one bit each, and how many may still be under way. Probes are
/// numbered from 0 in the order in which they are sent; those that are too old are no longer watched. Memory does not grow
/// with their number. Pure: the time is told.
class ProbeWindow {
 public:
  /// At once, between the oldest that is watched and the newest: a second's worth at the highest rate seen.
  static constexpr std::uint64_t capacity = std::uint64_t{1} << 18;

  ProbeWindow() : answered_(capacity / 64) {}

  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }  ///< number of the next one
  [[nodiscard]] std::uint64_t room() const noexcept { return capacity - (next_ - oldest_); }
  /// Young, and not answered: an answer may be on its way.
  [[nodiscard]] std::uint64_t pending() const noexcept { return pending_; }
  /// Watched, and not answered.
  [[nodiscard]] std::uint64_t unanswered() const noexcept { return unanswered_; }

  /// The next `count` are sent now; at most room().
  void note_sent(std::uint64_t count, Time now);

  enum class Answer : std::uint8_t {
    first,
    again,  ///< was answered before
    late,   ///< is no longer watched, or was never sent
  };
  Answer note_answer(std::uint64_t number) noexcept;

  /// Those older than `patience` are no longer pending.
  void age(Time now, Clock::duration patience) noexcept;
  /// Those older than `timeout` are no longer watched; `lost` is called with the number of each that was not answered.
  template <class Lost>
  void expire(Time now, Clock::duration timeout, Lost lost) {
    age(now, timeout);
    for (; !marks_.empty() && now - marks_.front().until >= timeout; forget_mark()) {
      for (const auto end = end_of(0); oldest_ < end; ++oldest_) {
        if (is_answered(oldest_)) continue;
        --unanswered_;
        lost(oldest_);
      }
    }
    forget_answered();
  }
  /// When the next one will be too old; never: there is none.
  [[nodiscard]] Time next_expiry(Clock::duration timeout) const noexcept {
    return marks_.empty() ? never : marks_.front().until + timeout;
  }

 private:
  /// Probes sent within a millisecond age together: there are as many marks as milliseconds, not as probes.
  struct Mark {
    std::uint64_t first;
    Time until;
  };
  static constexpr Clock::duration grain = Millis(1);

  [[nodiscard]] bool is_answered(std::uint64_t number) const noexcept {
    return (answered_[number % capacity / 64] >> number % 64 & 1) != 0;
  }
  /// Where the next mark begins.
  [[nodiscard]] std::uint64_t end_of(std::size_t mark) const noexcept {
    return mark + 1 < marks_.size() ? marks_[mark + 1].first : next_;
  }
  void forget_mark() noexcept;
  void forget_answered() noexcept;

  std::vector<std::uint64_t> answered_;
  std::deque<Mark> marks_;
  std::size_t aged_ = 0;  // so many of the marks
  std::uint64_t oldest_ = 0, young_ = 0, next_ = 0;
  std::uint64_t pending_ = 0, unanswered_ = 0;
};

}  // namespace superd
