#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "superd/designs/loop_doors.h"
#include "superd/designs/loop_waiter.h"
#include "superd/designs/station.h"
#include "superd/serve/place_later.h"

namespace superd {

/// A loop with its doors, which goes to another thread while the one that leads it is busy with a conversation that it
/// resumed. All that is known of a turn lies in the engine and here; on the leader's stack there is nothing but the
/// conversation and what belongs to it.
///
/// Datagrams: while handlers are quick, each runs where it was received, and the answers leave with its batch. When one
/// is late, or no place is free, what arrives goes to a queue, and from there to handlers, some in each turn.
class SharedLoop final : public Station {
 public:
  /// `queue`: bytes of datagrams that may wait at each door.
  SharedLoop(std::unique_ptr<Engine> engine, std::size_t queue, Decisions& decisions, Watch& watch,
             ThreadReserve& reserve)
      : Station(watch, reserve),
        waiter_(std::move(engine), baton_, watch),
        queue_(queue),
        decisions_(decisions),
        doors_(waiter_.engine(), [this](auto& closed) { drop(closed); }) {}

  // One thread at a time, as in Design.
  void open(const std::shared_ptr<Listener>& listener);
  bool close() noexcept;
  bool leave() noexcept { return doors_.leave(); }
  bool close_at(Listeners listeners) noexcept { return doors_.close_at(listeners); }
  bool leave_at(Listeners listeners) noexcept { return doors_.leave_at(listeners); }
  [[nodiscard]] bool has_closed_at(Listeners listeners) const noexcept { return doors_.has_closed_at(listeners); }
  [[nodiscard]] bool is_done() const noexcept;
  void cut();
  /// The leader cancels what is left, and leads no more.
  void end();

  void lead(ReserveThread& self) noexcept override;

 private:
  // False, here and below: the loop was lost.
  bool finish_turn(HeldAnswers& answers) noexcept;
  bool serve_placed(HeldAnswers& answers) noexcept;
  bool serve_queued(HeldAnswers& answers) noexcept;
  bool serve(PlacedConversation placed, HeldAnswers& answers) noexcept;
  void serve_apart(PlacedConversation& placed, HeldAnswers& answers) noexcept;

  void drop(std::vector<std::unique_ptr<Door>>& closed) noexcept;
  void end_lead() noexcept;
  void note_queues() noexcept;
  [[nodiscard]] Time next_look() const noexcept;
  [[nodiscard]] bool is_over() const noexcept;
  [[nodiscard]] Engine& engine() noexcept { return waiter_.engine(); }

  LoopWaiter waiter_;
  const std::size_t queue_;
  Decisions& decisions_;
  PlaceLater place_;
  LoopDoors doors_;
  std::atomic<bool> has_queued_{false};

  // The leader's.
  std::vector<Door*> with_queues_;
  bool placed_queued_ = false;
  bool ending_ = false;
};

}  // namespace superd
