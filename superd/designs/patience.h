#pragma once

#include <cstdint>
#include <optional>

#include "superd/base/clock.h"

namespace superd {

/// How long a conversation may keep the others waiting before the right to serve them is handed to another thread. Plain
/// arithmetic without threads or clocks of its own; one thread.
///
/// A hand-over costs c. Who waits as long as c before it hands over never pays more than twice what it would have paid
/// with foresight: a conversation that ends within c cost at most c of waiting and no hand-over, one that does not cost
/// c of waiting and c for the hand-over, where the best was c (ski rental). But looking costs too, so while nobody is
/// late, the looks become rarer; and when most are late, waiting is pointless from the outset.
class Patience {
 public:
  using Nanos = std::chrono::nanoseconds;

  /// A prototype with a fixed 100 us cost 1.05 to 1.25 of the plain loop's CPU, one that backs off to 2 ms 1.00.
  static constexpr Nanos shortest{50'000}, longest{2'000'000};
  static constexpr int quiet_looks = 16;

  /// `fixed`: a deadline that was given; none: by the rule above.
  explicit Patience(std::optional<Nanos> fixed) noexcept : fixed_(fixed), period_(fixed.value_or(shortest)) {}

  /// How long from one look to the next; who is found in the same conversation at two of them is late.
  [[nodiscard]] Nanos period() const noexcept { return period_; }

  /// At a look: so many conversations have begun since the last one, and somebody was late or nobody.
  void note_look(std::uint64_t begun, bool anybody_late) noexcept;
  /// One was late, and the hand-over took so long.
  void note_hand_over(Nanos cost) noexcept;
  /// One ended under hands_over_at_once(), after so long.
  void note_duration(Nanos served) noexcept;

  /// Most are late: their share exceeds c / period, so that waiting costs more than handing over does.
  [[nodiscard]] bool hands_over_at_once() const noexcept {
    return late_ >= least_late &&
           late_share() * static_cast<double>(period_.count()) > static_cast<double>(cost_.count());
  }

  [[nodiscard]] Nanos cost() const noexcept { return cost_; }  ///< c, as measured
  [[nodiscard]] double late_share() const noexcept { return late_ / conversations_; }

 private:
  // One that is late is no rule yet.
  static constexpr double least_late = 3;
  // The share is that of the last conversations, of about so many.
  static constexpr double memory = 64;

  void count(double conversations, double late) noexcept;

  const std::optional<Nanos> fixed_;
  Nanos period_;
  Nanos cost_{30'000};  // what it took on the first machine; replaced by what it takes here
  int quiet_ = 0;
  double conversations_ = 1, late_ = 0;
};

}  // namespace superd
