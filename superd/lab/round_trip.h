#pragma once

#include <algorithm>

#include "superd/base/clock.h"

namespace superd {

/// How long to wait for an answer before asking again, learnt from answers (RFC 6298), and how long the next time.
class RoundTrip {
 public:
  /// What the first request is given, when nothing is known (RFC 6298, 2.1).
  static constexpr Clock::duration first{std::chrono::seconds(1)};
  /// Less than a scheduler's hiccup tells nothing of the network.
  static constexpr Clock::duration least{Millis{20}};
  /// A server that is being restarted is found within this time.
  static constexpr Clock::duration most{std::chrono::seconds(5)};

  /// The time between a request and its answer: of one that was sent once, or where the answer tells which it is for.
  void note(Clock::duration sample) noexcept {
    if (!is_known_) {
      mean_ = sample;
      deviation_ = sample / 2;
      is_known_ = true;
      return;
    }
    deviation_ += (std::max(mean_ - sample, sample - mean_) - deviation_) / 4;
    mean_ += (sample - mean_) / 8;
  }

  /// After so many times in vain. It grows by half each time, as FSP's document has it: by doubling, a request that has
  /// bad luck on a line that loses a third of all would wait longer than all others together.
  [[nodiscard]] Clock::duration timeout(int tries) const noexcept {
    auto time = is_known_ ? std::clamp<Clock::duration>(mean_ + 4 * deviation_, least, most) : first;
    for (; tries > 0 && time < most; --tries) time += time / 2;
    return std::min(time, most);
  }

 private:
  bool is_known_ = false;
  Clock::duration mean_{}, deviation_{};
};

}  // namespace superd
