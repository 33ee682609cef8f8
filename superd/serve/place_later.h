#pragma once

#include <memory>
#include <utility>

#include "superd/serve/door.h"
#include "superd/serve/held_answers.h"

namespace superd {

/// A conversation that a door has placed and that nobody has begun yet: a connection, or a datagram.
struct PlacedConversation {
  HostedService* hosted = nullptr;  ///< null: none
  Socket socket;
  Seat seat;
  const std::shared_ptr<Listener>* listener = nullptr;  ///< of a datagram
  std::unique_ptr<DatagramSlot> slot;
  std::unique_ptr<DatagramSlot>* slot_home = nullptr;  ///< where the door wants the slot back
  AnswerPath* batch = nullptr;
  Worker* worker = nullptr;  ///< of the doors; null: none

  [[nodiscard]] bool is_datagram() const noexcept { return listener != nullptr; }

  /// Runs it in this thread, on `waiter`, to its end or its first wait. Short of memory, it tries again in a while.
  void begin(Waiter& waiter, HeldAnswers& answers) noexcept;
  /// After begin(), where the door is still the caller's: its answers join the batch, and the slot goes back.
  void settle(HeldAnswers& answers) noexcept;
  /// After begin(), where it is not.
  void settle_apart(HeldAnswers& answers) noexcept;
};

/// Keeps the conversation that was placed last, for who turns the door to begin (Door::Manner::rests).
class PlaceLater final : public Placement {
 public:
  bool place(HostedService& hosted, Socket& socket, Seat& seat) override;
  bool place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
             Seat& seat) override;

  void note_resting(Door& door) noexcept override { resting_ = &door; }
  void note_open(HostedService&) noexcept override;
  void note_closed(HostedService&) noexcept override;
  /// See Workers.
  void forget_idle() noexcept { workers_.forget_idle(); }

  [[nodiscard]] bool has_one() const noexcept { return placed_.hosted != nullptr; }
  [[nodiscard]] PlacedConversation take() noexcept { return std::exchange(placed_, {}); }
  /// The door that waits for go_on(); null: none.
  [[nodiscard]] Door* take_resting() noexcept { return std::exchange(resting_, nullptr); }

 private:
  PlacedConversation placed_;
  Door* resting_ = nullptr;
  Workers workers_;
};

}  // namespace superd
