#pragma once
/// Which requests of a mix are slow ones.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>

namespace bench {

/// Of each thousand requests in a row exactly the share is slow, at random places: few requests hold the share as many
/// do, and nothing beats in time with a pattern. Every load has the same places.
class SlowShare {
 public:
  /// `percent` to a tenth.
  explicit SlowShare(double percent) : slow_(static_cast<std::size_t>(std::lround(percent * 10))) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
  }

  bool next() {
    if (at_ == order_.size()) at_ = 0;
    if (at_ == 0) shuffle();
    return order_[at_++] < slow_;
  }

 private:
  // Within each hundred the share is as exact as it can be: the i-th of ten hundreds has every tenth slow number.
  void shuffle() {
    constexpr std::size_t hundred = 100;
    constexpr std::size_t hundreds = 10;
    for (std::size_t i = 0; i < hundreds; ++i) {
      for (std::size_t j = 0; j < hundred; ++j) order_[i * hundred + j] = j * hundreds + i;
      const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(i * hundred);
      std::shuffle(begin, begin + hundred, random_);
    }
  }

  std::size_t slow_;
  std::mt19937 random_{1};
  std::array<std::size_t, 1000> order_{};
  std::size_t at_ = 0;
};

}  // namespace bench
