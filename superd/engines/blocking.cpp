#include "superd/engines/blocking.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include "superd/engines/buffer_pool.h"
#include "superd/engines/poll_timeout.h"
#include "superd/engines/transfer.h"

namespace superd {

namespace {

void end(Operation& operation, Outcome outcome, int code = 0) noexcept { settle(operation, outcome, code); }

}  // namespace

bool Blocking::wait(Operation& operation) noexcept {
  const Time asked = Clock::now();
  // Deadlines were reckoned from the last wake-up; what the handler did since then is not the client's fault.
  if (operation.deadline != never && operation.kind != Kind::sleep) operation.deadline += asked - now();
  set_now(asked);
  switch (operation.kind) {
    case Kind::none:
    case Kind::home: end(operation, Outcome::done); break;
    case Kind::readable: readable(operation); break;
    case Kind::read: read(operation); break;
    case Kind::write: write(operation); break;
    case Kind::sleep:
    case Kind::signal: pause(operation); break;
    case Kind::work: work(operation); break;
  }
  operation.kind = Kind::none;
  return true;
}

// SO_RCVTIMEO starts anew with each call, so it may be longer than the time that is left but not much: when the deadline
// comes nearer, because the client is slow or the conversation's total is used up, it is cut.
bool Blocking::limit_receive(int fd, Time::duration left) noexcept {
  const auto wanted = std::max(std::chrono::ceil<Millis>(left), Millis{1});
  const auto slack = std::max(wanted / 16, Millis{1});
  if (limited_fd_ == fd && receive_limit_ <= wanted + slack && receive_limit_ >= wanted / 2) return true;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(wanted).count();
  const timeval limit{micros / 1'000'000, micros % 1'000'000};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0) return false;
  limited_fd_ = fd;
  receive_limit_ = wanted;
  return true;
}

void Blocking::read(Operation& operation) noexcept {
  for (;;) {
    // After the deadline too there is one look: whoever has sent something while we were stopped is not timed out.
    const bool time_is_up = operation.deadline <= now();
    if (!time_is_up && operation.deadline != never && !limit_receive(operation.fd, operation.deadline - now()))
      return end(operation, Outcome::failed, errno);
    if (!buffer_) buffer_.reset(new (std::nothrow) std::byte[BufferPool::size]);
    const int manner = time_is_up ? MSG_DONTWAIT : 0;
    const ssize_t got = buffer_ ? recv(operation.fd, buffer_.get(), BufferPool::size, manner) : -1;
    const int code = buffer_ ? errno : ENOMEM;
    set_now(Clock::now());
    if (got > 0) {
      operation.bytes = {buffer_.get(), static_cast<std::size_t>(got)};
      return end(operation, Outcome::done);
    }
    if (got == 0) return end(operation, Outcome::end_of_stream);
    if (!is_shortage(code) && code != EINTR && code != EAGAIN) return end(operation, Outcome::failed, code);
    if (time_is_up) return end(operation, Outcome::timed_out);
    if (is_shortage(code)) std::this_thread::sleep_for(retry_pause);
  }
}

void Blocking::write(Operation& operation) noexcept {
  for (;;) {
    const Try result = try_send(operation);
    if (result == Try::settled) return;
    // Only now, when nothing fits: a client that has made room while we were stopped is not timed out.
    if (operation.deadline <= now()) return end(operation, Outcome::timed_out);
    pollfd room{operation.fd, POLLOUT, 0};
    if (result == Try::shortage)
      std::this_thread::sleep_for(retry_pause);
    else
      (void)::poll(&room, 1, poll_timeout(operation.deadline));
    set_now(Clock::now());
  }
}

void Blocking::readable(Operation& operation) noexcept {
  if (operation.deadline == never) return end(operation, Outcome::done);
  for (;;) {
    pollfd arrival{operation.fd, POLLIN, 0};
    const int ready = ::poll(&arrival, 1, poll_timeout(operation.deadline));
    const int code = ready < 0 ? errno : 0;
    set_now(Clock::now());
    if (ready > 0) return end(operation, Outcome::done);
    if (operation.deadline <= now()) return end(operation, Outcome::timed_out);
    if (is_shortage(code)) std::this_thread::sleep_for(retry_pause);
  }
}

void Blocking::pause(Operation& operation) noexcept {
  std::unique_lock lock(mutex_);
  const auto over = [&] { return all_cancelled_ || cancelled_ == &operation || operation.signalled; };
  const bool woken =
      operation.deadline == never ? (woken_.wait(lock, over), true) : woken_.wait_until(lock, operation.deadline, over);
  if (std::exchange(operation.signalled, false))
    end(operation, Outcome::done);
  else if (woken)
    end(operation, Outcome::cancelled);
  else
    end(operation, operation.kind == Kind::sleep ? Outcome::done : Outcome::timed_out);
  if (cancelled_ == &operation) cancelled_ = nullptr;
  set_now(Clock::now());
}

void Blocking::work(Operation& operation) noexcept {
  const auto is_cancelled = [&] {
    const std::lock_guard lock(mutex_);
    return all_cancelled_ || cancelled_ == &operation;
  };
  const bool begins = !is_cancelled();
  if (begins) operation.work->run(*operation.work);
  end(operation, begins && !is_cancelled() ? Outcome::done : Outcome::cancelled);
  const std::lock_guard lock(mutex_);
  if (cancelled_ == &operation) cancelled_ = nullptr;
  set_now(Clock::now());
}

void Blocking::signal(Operation& operation) noexcept {
  const std::lock_guard lock(mutex_);
  operation.signalled = true;
  woken_.notify_all();
}

void Blocking::cancel(Operation& operation) noexcept {
  const std::lock_guard lock(mutex_);
  cancelled_ = &operation;
  woken_.notify_all();
}

void Blocking::cancel_all() noexcept {
  const std::lock_guard lock(mutex_);
  all_cancelled_ = true;
  woken_.notify_all();
}

void Blocking::forget(Operation& operation) noexcept {
  operation.lent = nullptr;
  if (limited_fd_ == operation.fd) limited_fd_ = -1;
  const std::lock_guard lock(mutex_);
  if (cancelled_ == &operation) cancelled_ = nullptr;
}

}  // namespace superd
