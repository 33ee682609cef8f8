#pragma once

#include "superd/designs/back_off.h"
#include "superd/designs/program_starter.h"
#include "superd/serve/door.h"

namespace superd {

/// Gives each connection of one service to a program of its own.
///
/// Where there is no process to be had, the client is kept, as long as it may stay in all (`total`). A program that dies
/// at once for one client after the other, or cannot be run, is started ever more rarely, and clients wait in the
/// backlog, until it ends well once: see BackOff. The pause is at most a second, because it is everybody's, and perhaps
/// one client's doing.
class PlaceProgram final : public Placement, private EndOfChild {
 public:
  explicit PlaceProgram(ProgramStarter& starter) noexcept : starter_(starter) {}

  bool place(HostedService&, Socket& socket, Seat& seat) override;
  /// Datagrams are the program's own to receive: see ProgramStand.
  bool place(const std::shared_ptr<Listener>&, std::unique_ptr<DatagramSlot>&, AnswerPath&, Seat&) override;
  [[nodiscard]] Time held_back_until() const noexcept override { return due_; }

 private:
  void child_ended(const ProgramEnd&) noexcept override;
  void hold_back() noexcept;

  ProgramStarter& starter_;
  // As many clients as may meet their program's death before anybody thinks of a pattern.
  BackOff back_off_{10, Millis{1'000}};
  Time due_{};
};

}  // namespace superd
