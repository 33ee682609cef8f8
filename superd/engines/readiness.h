#pragma once

#include <cstdint>
#include <vector>

#include "superd/engines/engine.h"

namespace superd {

/// What select, poll and epoll have in common: they tell which descriptor is ready, and the loop then makes the call.
///
/// - A connection is registered only when it first has to wait, and stays registered for reading, level-triggered. The
///   loop itself receives, into its own buffer, and resumes the reader with the bytes: two calls a message, as in a
///   bare loop. Trying first and suspending on EAGAIN would be a third.
/// - Operations are found by descriptor, and a slot is cleared before its owner is resumed: an event that is already
///   collected for a connection that has ended meets an empty slot or, at worst, a new connection that finds nothing
///   to receive.
class Readiness : public Engine {
 public:
  bool wait(Operation&) noexcept final;
  void forget(Operation&) noexcept final;
  void cancel_all() noexcept final;

 protected:
  enum class Interest : std::uint8_t { nothing, reading, writing };

  struct Ready {
    int fd;
    bool readable, writable;  // both for an error or a hang-up: the next call tells which
  };

  Readiness() = default;

  /// Changes what a descriptor is watched for; 0 or an errno (a full select set is engine_full).
  virtual int watch(int fd, Interest before, Interest wanted) noexcept = 0;

  /// Filled by collect(), used up by next_event().
  std::vector<Ready> ready_;

 private:
  struct Slot {
    Operation* operation = nullptr;
    Interest interest = Interest::nothing;
  };

  Operation* next_event() noexcept final;
  Operation* look_at(const Ready&) noexcept;
  Operation* timer_came_up(Operation&) noexcept final;
  void withdraw(Operation&) noexcept final;

  // True: the operation has its outcome. False: it is parked.
  bool start(Operation&) noexcept;
  bool try_or_park(Operation&) noexcept;
  bool park(Operation&, Interest) noexcept;
  Operation* finish(Operation&) noexcept;
  Slot& slot(int fd);

  std::vector<Slot> slots_;
  std::size_t next_ready_ = 0;
};

}  // namespace superd
