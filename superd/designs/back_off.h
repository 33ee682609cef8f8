#pragma once

#include <algorithm>

#include "superd/base/clock.h"

namespace superd {

/// When to replace what died: at once, as long as that is rare; after a pause that doubles, when it dies again and again.
/// An episode ends after a quiet time.
class BackOff {
 public:
  static constexpr Millis first_pause{10}, longest_pause{5'000};
  /// Twice the longest pause, so that what dies whenever it is replaced stays one episode.
  static constexpr Millis quiet_time{10'000};

  /// `allowed`: how many deaths of an episode are replaced at once.
  explicit BackOff(int allowed = 1, Millis longest = longest_pause) noexcept : allowed_(allowed), longest_(longest) {}

  /// One died, or could not be made: when to make another.
  Time next(Time now) noexcept {
    if (now - last_ > quiet_time) {
      deaths_ = 0;
      pause_ = first_pause;
    }
    last_ = now;
    if (++deaths_ <= allowed_) return now;
    const auto when = now + pause_;
    pause_ = std::min(pause_ * 2, longest_);
    return when;
  }

  /// One did well: that was all of the episode.
  void forget() noexcept {
    deaths_ = 0;
    pause_ = first_pause;
  }

  /// The last one was the first of its episode that was not replaced at once: worth a line in the log.
  [[nodiscard]] bool has_begun() const noexcept { return deaths_ == allowed_ + 1; }

 private:
  int allowed_;
  Millis longest_;
  int deaths_ = 0;
  Millis pause_ = first_pause;
  Time last_{};
};

}  // namespace superd
