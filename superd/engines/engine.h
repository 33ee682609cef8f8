#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "superd/async/waiter.h"
#include "superd/base/error.h"
#include "superd/engines/buffer_pool.h"
#include "superd/net/socket.h"

namespace superd {

/// A loop that waits for many operations at once. One thread turns it and makes all calls, but for wake(), post(),
/// signal() and cancel(), which any thread may make.
///
/// The engine may not be destroyed while operations are parked in it: cancel_all() first, and turn it once more.
class Engine : public Waiter {
 public:
  /// How often in a row an operation may be completed inline before others get their turn: a client that always has
  /// more to send, or always room to receive, must not keep the loop to itself. 32 reads of 64 KiB are about a
  /// millisecond.
  static constexpr int inline_turns = 32;

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() override;

  /// Waits once, until something is ready or `until` at the latest, and resumes whoever can go on.
  void turn(Time until) noexcept;

  /// Any thread: the turn under way, or the next one, does not wait.
  void wake() noexcept;

  /// Any thread: runs `function` in the loop's thread, soon.
  void post(std::move_only_function<void()> function);

  /// All that is waited for ends with Outcome::cancelled, within this call; work that has begun is waited for.
  virtual void cancel_all() noexcept = 0;

  void signal(Operation&) noexcept override;
  void cancel(Operation&) noexcept override;

 protected:
  Engine();

  /// Waits for events until `until` and collects them; `until` in the past: only looks. 0, or the errno of a wait that
  /// failed.
  virtual int collect(Time until) noexcept = 0;
  /// Resumes whoever the collected events are for.
  virtual void dispatch() noexcept = 0;
  /// The timer of a parked operation came up: its deadline has passed, or it is to be tried again.
  virtual void timer_came_up(Operation&) noexcept = 0;
  /// Takes a parked operation out, so that it may be completed.
  virtual void withdraw(Operation&) noexcept = 0;

  /// Resumes the owner of a parked operation that the engine has let go of. The operation may be gone afterwards.
  void complete(Operation&, Outcome) noexcept;
  void complete_failed(Operation&, int code) noexcept;

  /// Drops what other threads asked about an operation whose use ends, and what it has others do.
  void forget_requests(Operation&) noexcept;

  /// Cancels all operations that have a timer, sleepers and those who wait for a signal among them.
  void cancel_timers() noexcept;

  /// For the kinds that wait for no descriptor: sleep, signal and work. As wait().
  bool wait_in_wheel(Operation&) noexcept;

  /// Parks an operation until it is tried again: at `when`, or at its deadline if that is earlier.
  void park_for_retry(Operation&, Time when) noexcept;
  void park_for_next_turn(Operation& operation) noexcept { park_for_retry(operation, {}); }

  [[nodiscard]] int wake_fd() const noexcept { return wake_.fd(); }
  void clear_wake() const noexcept;

  TimerWheel timers_;
  BufferPool buffers_;
  int inline_left_ = inline_turns;

 private:
  struct Request {
    Operation* operation;  // null: `function`
    Outcome outcome;
    std::move_only_function<void()> function;
  };
  void request(Request);
  static void make_room(std::vector<Request>&) noexcept;
  void serve_requests() noexcept;
  bool hand_over(Operation&) noexcept;
  void told_about_work(Operation&, Outcome) noexcept;
  void expire_timers() noexcept;
  void look_again(int code) noexcept;

  Socket wake_;  // eventfd(2)
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<Request> in_work_;
  std::atomic<std::size_t> request_count_{0};
};

}  // namespace superd
