#pragma once
/// Latencies in buckets that are exact below 64 ns and at most 1/32 wide above.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bench {

class Histogram {
 public:
  void add(std::uint64_t nanos) {
    ++counts_[index(nanos)];
    ++total_;
  }

  std::uint64_t total() const { return total_; }

  /// The upper edge of the bucket that holds the given share (0 to 1) of the values; 0 when there are none.
  std::uint64_t quantile(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank) return upper(i);
    }
    return 0;
  }

 private:
  static constexpr unsigned fine_bits = 5;
  static constexpr std::size_t fine = std::size_t{1} << fine_bits;
  static constexpr unsigned most_bits = 40;  // 18 minutes

  static std::size_t index(std::uint64_t nanos) {
    const std::uint64_t value = std::min(nanos, (std::uint64_t{1} << most_bits) - 1);
    if (value < 2 * fine) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - fine_bits - 1;
    return shift * fine + (value >> shift);
  }

  static std::uint64_t upper(std::size_t index) {
    if (index < 2 * fine) return index;
    const std::size_t shift = index / fine - 1;
    return ((index - shift * fine + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (most_bits - fine_bits + 1) * fine> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace bench
