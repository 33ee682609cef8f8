#pragma once

#include <atomic>

#include "superd/async/operation.h"

namespace superd {

/// Who waits for an operation: a blocking call, or an engine's loop.
///
/// All calls come from the waiter's own thread unless they say otherwise.
class Waiter {
 public:
  virtual ~Waiter() = default;

  /// True: the outcome is set, go on inline. False: the waiter has taken charge and will resume `operation.parked` once,
  /// perhaps already, perhaps on another thread; do not touch the operation any more.
  /// Sockets are left blocking (others may share them); every call says MSG_DONTWAIT where it must not block.
  virtual bool wait(Operation& operation) noexcept = 0;

  /// Ends the use of an operation that is not being waited for, before its descriptor is closed: gives back a lent
  /// buffer, its timer and whatever was registered for the descriptor. Work, which may also be given up while it is
  /// waited for, is taken back or, when it has begun, waited for.
  virtual void forget(Operation& operation) noexcept = 0;

  /// Any thread: completes an operation of kind signal, now or as soon as it is waited for. The operation must be kept
  /// alive by the caller's lock until this returns, and by its owner until its outcome came or forget() returned.
  virtual void signal(Operation& operation) noexcept = 0;

  /// Any thread: whatever `operation` is waiting for ends with Outcome::cancelled; nothing when it waits for nothing.
  /// The operation must live until this returns, and its owner must call forget() before it dies.
  virtual void cancel(Operation& operation) noexcept = 0;

  /// The time as of the last wake-up or look: what deadlines are reckoned from without a call per operation. Any thread:
  /// the one that serves a client may have lost its loop to another.
  [[nodiscard]] Time now() const noexcept { return Time(Clock::duration(now_.load(std::memory_order_relaxed))); }

  /// Whoever waits stays in its thread: wait() always returns true.
  [[nodiscard]] virtual bool keeps_thread() const noexcept { return false; }

  /// Any thread: how many conversations have this waiter, for who wants to end it.
  [[nodiscard]] int conversations() const noexcept { return conversations_.load(std::memory_order_acquire); }
  void note_conversation(int difference) noexcept { conversations_.fetch_add(difference, std::memory_order_acq_rel); }

  /// Any thread: looks at the clock.
  void refresh_now() noexcept { set_now(Clock::now()); }

 protected:
  void set_now(Time now) noexcept { now_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }

 private:
  std::atomic<int> conversations_{0};
  std::atomic<Clock::rep> now_{Clock::now().time_since_epoch().count()};
};

/// What is awaited for an operation that has been filled in; returns its outcome.
class Wait {
 public:
  Wait(Waiter& waiter, Operation& operation) noexcept : waiter_(waiter), operation_(operation) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    operation_.parked = waiting;
    return !waiter_.wait(operation_);
  }
  Outcome await_resume() const noexcept { return operation_.outcome; }

 private:
  Waiter& waiter_;
  Operation& operation_;
};

}  // namespace superd
