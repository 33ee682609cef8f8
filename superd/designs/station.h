#pragma once

#include <atomic>

#include "superd/designs/design.h"
#include "superd/designs/thread_reserve.h"
#include "superd/designs/watch.h"

namespace superd {

/// What changes hands: doors, or a loop with its doors. One thread of the reserve leads it at a time; when that thread is
/// in one conversation for too long, the watch gives the station to another, and the thread stays with its client.
class Station : public Leadable, public Watched {
 public:
  Station(Watch& watch, ThreadReserve& reserve) noexcept : watch_(watch), reserve_(reserve) {}

  /// Gives it its first thread, and lets it be watched.
  Result<> start();
  /// Before the reserve ends. Nobody takes it over any more.
  void stop_watching() noexcept { watch_.remove(*this); }

  [[nodiscard]] Baton::Turn turn() const noexcept final { return baton_.look(); }
  bool hand_over(Baton::Turn turn) noexcept final;
  [[nodiscard]] pid_t thread() const noexcept final { return thread_.load(std::memory_order_relaxed); }

 protected:
  /// From lead(), first thing.
  void note_lead(ReserveThread& self) noexcept;

  /// The leader: a conversation begins, during which the lead can be lost.
  Baton::Turn begin_turn() noexcept {
    const auto turn = baton_.begin();
    watch_.arm();
    return turn;
  }
  /// False: it was lost.
  [[nodiscard]] bool end_turn(Baton::Turn turn) noexcept { return baton_.end(turn); }

  /// The leader, outside a conversation: gives the lead away. False: no thread is to be had.
  bool hand_over_now() noexcept;

  /// Who has lost the lead, or given it away, is back from its conversation. True: nobody else is away.
  bool note_return() noexcept { return away_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  [[nodiscard]] bool anybody_away() const noexcept { return away_.load(std::memory_order_acquire) > 0; }

  Watch& watch_;
  ThreadReserve& reserve_;
  std::atomic<ReserveThread*> leader_{nullptr};
  Baton baton_;

 private:
  bool note_asked(Time asked) noexcept;
  bool note_away(Time asked, bool is_late) noexcept;

  std::atomic<int> away_{0};
  std::atomic<pid_t> thread_{0};  // that leads
  Time asked_{};                  // when the present leader was asked for
  bool asked_late_ = false;
};

/// What a design of stations tells of itself.
[[nodiscard]] Report report_of(const Watch&, const ThreadReserve&, const Decisions&);

}  // namespace superd
