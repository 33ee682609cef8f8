#include "superd/designs/station.h"

#include <unistd.h>

namespace superd {

Result<> Station::start() {
  const Time asked = Clock::now();
  if (!reserve_.hand(*this, [&] { return note_asked(asked); }))
    return error("start a thread: the system has none to give");
  watch_.add(*this);
  return {};
}

// Asked before a thread is looked for: making one is part of what a hand-over costs.
bool Station::hand_over(Baton::Turn turn) noexcept {
  const Time asked = Clock::now();
  return reserve_.hand(*this, [&] { return baton_.take(turn) && note_away(asked, true); });
}

bool Station::hand_over_now() noexcept {
  const Time asked = Clock::now();
  return reserve_.hand(*this, [&] { return note_away(asked, false); });
}

bool Station::note_asked(Time asked) noexcept {
  asked_ = asked;
  return true;
}

bool Station::note_away(Time asked, bool is_late) noexcept {
  asked_late_ = is_late;
  away_.fetch_add(1, std::memory_order_relaxed);
  return note_asked(asked);
}

void Station::note_lead(ReserveThread& self) noexcept {
  thread_.store(gettid(), std::memory_order_relaxed);
  const bool is_first = leader_.exchange(&self, std::memory_order_acq_rel) == nullptr;
  if (!is_first) watch_.note_hand_over(Clock::now() - asked_, asked_late_);
}

Report report_of(const Watch& watch, const ThreadReserve& reserve, const Decisions& decisions) {
  const auto [threads, spares] = reserve.count();
  const auto state = watch.state();
  return {.threads = threads,
          .spares = spares,
          .hand_overs = state.hand_overs,
          .period = state.period,
          .cost = state.cost,
          .late_share = state.late_share,
          .at_once = state.at_once,
          .decisions = decisions.recent()};
}

}  // namespace superd
