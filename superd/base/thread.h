#pragma once

#include <pthread.h>

#include <functional>
#include <string>
#include <utility>

#include "superd/base/error.h"

namespace superd {

/// Sole owner of a thread: join() or the destructor waits for its end. All signals are blocked in it, but for the one of
/// interrupt(), so that signals to the process reach the main thread alone.
class Thread {
 public:
  /// Handlers keep no arrays and coroutines no stack: this is room for a handler's calls, and it is address space, not
  /// memory, until it is touched.
  static constexpr std::size_t stack_size = 256 * 1024;

  Thread() noexcept = default;
  Thread(Thread&& other) noexcept : id_(other.id_), running_(std::exchange(other.running_, false)) {}
  Thread& operator=(Thread&&) = delete;
  ~Thread() { join(); }

  /// `name` is what top(1) shows; 15 characters at most. An error when the system has no thread to give (EAGAIN).
  static Result<Thread> start(const std::string& name, std::move_only_function<void()> work);
  /// As above, for a thread that nobody waits for.
  static Result<> start_detached(const std::string& name, std::move_only_function<void()> work);

  void join() noexcept;

  /// Any thread, while it is not joined: a blocking system call of it ends with EINTR. One that is about to begin may be
  /// missed, so whoever wants it to notice repeats this until it does.
  void interrupt() noexcept;
  /// The same for a thread that somebody else owns and that has not ended.
  static void interrupt(pthread_t id) noexcept;

  /// The calling thread takes the processor in short slices from now on: whoever wakes up meanwhile need not wait until a
  /// slice of milliseconds is over (sched_setattr(2): sched_runtime, since Linux 6.12; without effect before).
  static void take_short_slices() noexcept;

 private:
  pthread_t id_{};
  bool running_ = false;
};

}  // namespace superd
