#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <type_traits>

#include "superd/base/clock.h"

namespace superd {

/// How often a duration lay where: from a nanosecond to an hour and more, to two significant digits (64 buckets an
/// octave; a bucket's middle is within 0.8 % of what it stands for). Threads and processes add without locks, anyone may
/// read meanwhile. Zeroed memory is an empty one: constructing it there is not needed, and only pages that are used get
/// touched.
class Histogram {
 public:
  static constexpr int digits = 6;    // 2^6 buckets an octave
  static constexpr int octaves = 42;  // 2^42 ns: 73 minutes
  static constexpr std::size_t size = (octaves - digits + 1) << digits;

  /// One addition, and a comparison for the maximum: about 5 ns. What is longer than the last bucket counts there.
  void add(Clock::duration duration) noexcept {
    const auto value = static_cast<std::uint64_t>(std::max<Clock::rep>(duration.count(), 0));
    buckets_[index_of(value)].fetch_add(1, std::memory_order_relaxed);
    auto most = max_.load(std::memory_order_relaxed);
    while (most < value && !max_.compare_exchange_weak(most, value, std::memory_order_relaxed)) {
    }
  }

  /// What was in it at one moment, more or less: what is added meanwhile may be in it or not. Count, sum and quantiles
  /// of one snapshot agree with each other.
  class Snapshot {
   public:
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] Clock::duration sum() const noexcept;  ///< to the buckets' precision
    [[nodiscard]] Clock::duration max() const noexcept { return max_; }
    /// The duration that this share of all, 0 to 1, did not exceed; zero when there is none.
    [[nodiscard]] Clock::duration quantile(double share) const noexcept;

   private:
    friend class Histogram;
    std::array<std::uint64_t, size> buckets_;
    std::uint64_t count_ = 0;
    Clock::duration max_{};
  };
  [[nodiscard]] Snapshot snapshot() const noexcept;

 private:
  static_assert(std::is_same_v<Clock::period, std::nano>);

  // Below 2^(digits+1) a bucket a value; above, the value's first digits+1 bits and how far they were shifted.
  static constexpr std::size_t index_of(std::uint64_t value) noexcept {
    const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - (digits + 1));
    return std::min((static_cast<std::size_t>(shift) << digits) + (value >> shift), size - 1);
  }
  struct Bucket {
    std::uint64_t least, width;
    [[nodiscard]] std::uint64_t middle() const noexcept { return least + width / 2; }
  };
  static constexpr Bucket bucket_of(std::size_t index) noexcept {
    constexpr std::size_t octave = std::size_t{1} << digits;
    if (index < 2 * octave) return {index, 1};
    const auto shift = index / octave - 1;
    return {(octave + index % octave) << shift, std::uint64_t{1} << shift};
  }

  std::array<std::atomic<std::uint64_t>, size> buckets_;
  std::atomic<std::uint64_t> max_;
};

}  // namespace superd
