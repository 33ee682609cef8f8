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

  /// The same in steps, for who resumes by itself: what is ready, and how much of it has been handed out, is kept here
  /// and not on the caller's stack, so that another thread can go on with the turn while one is busy with what it was
  /// handed. Waits, and begins a turn; the one before must have come to its end.
  void begin_turn(Time until) noexcept;
  /// The next operation whose outcome has come, let go by the engine: resume its `parked`. Null: the turn is over.
  [[nodiscard]] Operation* next() noexcept;

  /// Any thread: the turn under way, or the next one, does not wait.
  void wake() noexcept;

  /// Any thread: runs `function` in the loop's thread, soon.
  void post(std::move_only_function<void()> function);

  /// All that is waited for ends with Outcome::cancelled, within this call; work that has begun is waited for.
  virtual void cancel_all() noexcept = 0;

  /// Any thread: as wait(), but in the loop's thread, soon. For a thread that lost the loop while it ran a handler; the
  /// operation is resumed by the loop, also when there was nothing to wait for.
  void adopt(Operation&);

  void signal(Operation&) noexcept override;
  void cancel(Operation&) noexcept override;

 protected:
  Engine();

  /// Waits for events until `until` and collects them; `until` in the past: only looks. 0, or the errno of a wait that
  /// failed.
  virtual int collect(Time until) noexcept = 0;
  /// The next operation that the collected events have completed; null when they are used up.
  virtual Operation* next_event() noexcept = 0;
  /// The timer of a parked operation came up: its deadline has passed, or it is to be tried again. The operation when
  /// that has completed it.
  virtual Operation* timer_came_up(Operation&) noexcept = 0;
  /// Takes a parked operation out, so that it may be completed.
  virtual void withdraw(Operation&) noexcept = 0;

  /// Takes note of the outcome of a parked operation that the engine has let go of, and returns it to be resumed.
  static Operation* completed(Operation&, Outcome) noexcept;
  /// Resumes the owner of such an operation at once. The operation may be gone afterwards.
  void complete(Operation&, Outcome) noexcept;

  /// Drops what other threads asked about an operation whose use ends, and what it has others do.
  void forget_requests(Operation&) noexcept;

  /// Cancels all operations that have a timer, sleepers and those who wait for a signal among them.
  void cancel_timers() noexcept;

  /// For the kinds that wait for no descriptor: sleep, signal and work. As wait().
  bool wait_in_wheel(Operation&) noexcept;

  /// wait() by `start`, which does what wait() shall do. Who has its outcome at once is not held.
  template <class Start>
  static bool hold(Operation& operation, Start start) noexcept {
    operation.is_held = true;
    operation.had_grace = false;
    if (!start(operation)) return false;
    operation.is_held = false;
    operation.kind = Kind::none;
    return true;
  }

  /// For what need not be waited for. As wait().
  static bool at_once(Operation& operation) noexcept { return completed(operation, Outcome::done); }

  /// Whether the time of an operation that waits for a client is up. A loop that did not look at its clients for a while,
  /// because of a handler that computed or of a stop (SIGSTOP), has reckoned deadlines from before that: then each gets
  /// as much time again, once, and the timer is put in anew.
  bool is_overdue(Operation&) noexcept;

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
    enum class What : std::uint8_t { run, signal, cancel, adopt };
    What what;
    Operation* operation;  // null: forgotten meanwhile, or `run`
    std::move_only_function<void()> function;
  };
  // What a turn goes through. Events before timers: after a long stall, whoever has data waiting is served and not
  // timed out.
  enum class Stage : std::uint8_t { events, requests, timers, over };

  void request(Request);
  static void make_room(std::vector<Request>&) noexcept;
  Operation* step() noexcept;
  Operation* next_request() noexcept;
  Operation* serve(Request&) noexcept;
  Operation* next_timer() noexcept;
  void take_requests() noexcept;
  bool hand_over(Operation&) noexcept;
  Operation* told_about_work(Operation&, Request::What) noexcept;
  void look_again(int code) noexcept;
  void note_stall() noexcept;

  Socket wake_;  // eventfd(2)
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::vector<Request> in_work_;
  std::size_t next_request_ = 0;
  Stage stage_ = Stage::over;
  Time grace_until_{};
  // What was due by then is due now. Not what became due since: we may have been stopped (SIGSTOP) after we looked for
  // events, and whoever has sent something meanwhile is not timed out. It takes a turn more, which does not wait.
  Time looked_after_{};
  std::atomic<std::size_t> request_count_{0};
};

}  // namespace superd
