#include "superd/designs/patience.h"

#include <algorithm>

namespace superd {

void Patience::note_look(std::uint64_t begun, bool anybody_late) noexcept {
  count(static_cast<double>(begun), 0);
  if (anybody_late) quiet_ = 0;
  if (fixed_ || anybody_late || ++quiet_ < quiet_looks) return;
  quiet_ = 0;
  period_ = std::min(period_ * 2, longest);
}

void Patience::note_hand_over(Nanos cost) noexcept {
  // It was counted as a conversation when it was seen to begin.
  count(0, 1);
  quiet_ = 0;
  note_cost(cost);
  // Not at once as short as can be: where hand-overs are frequent, looking would cost more than it finds.
  if (!fixed_) period_ = std::max(period_ / 2, shortest);
}

void Patience::note_cost(Nanos cost) noexcept {
  // What it costs where there is a processor for it: a hand-over that waits for one behind the very conversation that is
  // late says nothing about that, and believing it would make the next one wait the longer.
  cost_ += (cost - cost_) / (cost < cost_ ? 4 : 64);
}

void Patience::note_duration(Nanos served) noexcept { count(1, served > period_ ? 1 : 0); }

void Patience::count(double conversations, double late) noexcept {
  conversations_ += conversations;
  late_ += late;
  if (conversations_ <= memory) return;
  const double kept = memory / 2 / conversations_;
  conversations_ *= kept;
  late_ *= kept;
}

}  // namespace superd
