#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "superd/base/clock.h"

namespace superd {

/// Least, mean, most and standard deviation of times, without keeping them (Welford, 1962).
class RoundTrips {
 public:
  void add(Clock::duration time) noexcept {
    least_ = std::min(least_, time);
    most_ = std::max(most_, time);
    const auto value = static_cast<double>(time.count());
    const double off = value - mean_;
    mean_ += off / static_cast<double>(++count_);
    squares_ += off * (value - mean_);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  // In milliseconds; 0 while there is none.
  [[nodiscard]] double least() const noexcept {
    return count_ == 0 ? 0 : milliseconds(static_cast<double>(least_.count()));
  }
  [[nodiscard]] double most() const noexcept { return milliseconds(static_cast<double>(most_.count())); }
  [[nodiscard]] double mean() const noexcept { return milliseconds(mean_); }
  [[nodiscard]] double deviation() const noexcept {
    return count_ == 0 ? 0 : milliseconds(std::sqrt(squares_ / static_cast<double>(count_)));
  }

 private:
  static double milliseconds(double nanoseconds) noexcept { return nanoseconds / 1e6; }

  std::uint64_t count_ = 0;
  Clock::duration least_ = Clock::duration::max(), most_{};
  double mean_ = 0, squares_ = 0;
};

/// How many times lay where, in steps of 1, 2 and 5: what a person reads at a glance.
class RoundTripBars {
 public:
  static constexpr std::size_t size = 24;  ///< from a microsecond to a minute, and what is longer

  void add(Clock::duration time) noexcept {
    std::size_t at = 0;
    while (at + 1 < size && time > upper(at)) ++at;
    ++counts_[at];
  }
  [[nodiscard]] std::uint64_t operator[](std::size_t at) const noexcept { return counts_[at]; }
  /// The longest time that counts there.
  [[nodiscard]] static constexpr Clock::duration upper(std::size_t at) noexcept {
    constexpr int steps[] = {1, 2, 5};
    Clock::duration limit = std::chrono::microseconds(steps[at % 3]);
    for (std::size_t tens = at / 3; tens > 0; --tens) limit *= 10;
    return limit;
  }

 private:
  std::array<std::uint64_t, size> counts_{};
};

}  // namespace superd
