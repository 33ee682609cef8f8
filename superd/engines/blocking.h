#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "superd/async/waiter.h"

namespace superd {

/// Waits by blocking the calling thread: wait() always returns true, and a coroutine awaited on it never suspends. One
/// per thread; it serves one operation at a time.
///
/// - A receive blocks in recv(2) itself, bounded by SO_RCVTIMEO, which is set again only when the time left has become
///   shorter: one call a message.
/// - A send is tried without waiting; what does not fit waits in poll(2).
/// - Operations of kind readable wait in poll(2) when they have a deadline. Without one they are at once done: their owner
///   makes a call that blocks (accept, recvmmsg).
/// - Work is done in place: this thread holds up nobody but its client.
/// - A thread inside a system call is ended by shutdown(2) on the connection, or by a signal repeated until its owner
///   acknowledges; sleeping and waiting for a signal end by cancel() and cancel_all().
class Blocking final : public Waiter {
 public:
  Blocking() = default;
  bool wait(Operation&) noexcept override;
  [[nodiscard]] bool keeps_thread() const noexcept override { return true; }
  void forget(Operation&) noexcept override;
  void signal(Operation&) noexcept override;
  void cancel(Operation&) noexcept override;

  /// Any thread, for good: whoever sleeps or will sleep is cancelled.
  void cancel_all() noexcept;

 private:
  void read(Operation&) noexcept;
  void write(Operation&) noexcept;
  void readable(Operation&) noexcept;
  void pause(Operation&) noexcept;
  void work(Operation&) noexcept;
  bool limit_receive(int fd, Time::duration left) noexcept;

  std::unique_ptr<std::byte[]> buffer_;
  int limited_fd_ = -1;  // whose SO_RCVTIMEO is receive_limit_
  Millis receive_limit_{0};

  std::mutex mutex_;
  std::condition_variable woken_;
  const Operation* cancelled_ = nullptr;
  bool all_cancelled_ = false;
};

}  // namespace superd
