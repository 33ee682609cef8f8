#pragma once

#include <algorithm>
#include <cstdint>

#include "superd/base/clock.h"

namespace superd {

/// How many probes may leave now, so that there are no more than so many a second. What was not used is not saved up for
/// longer than a batch. Pure.
class Pace {
 public:
  static constexpr Clock::rep batch = 64;

  /// `rate`: a second; 0: no bound.
  explicit Pace(std::uint64_t rate) noexcept
      : gap_(rate == 0 ? Clock::duration{} : Clock::duration(Seconds(1)) / static_cast<Clock::rep>(rate)) {}

  [[nodiscard]] std::uint64_t allowed(Time now) noexcept {
    if (gap_ == Clock::duration{}) return batch;
    due_ = std::max(due_, now - gap_ * (batch - 1));
    return now < due_ ? 0 : static_cast<std::uint64_t>(std::min(batch, (now - due_) / gap_ + 1));
  }
  void note_sent(std::uint64_t count) noexcept { due_ += gap_ * static_cast<Clock::rep>(count); }
  [[nodiscard]] Time next() const noexcept { return due_; }

 private:
  Clock::duration gap_;
  Time due_{};
};

}  // namespace superd
