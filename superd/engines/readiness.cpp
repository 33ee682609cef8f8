#include "superd/engines/readiness.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "superd/base/error.h"

namespace superd {

namespace {

// The kernel is short of memory or buffers. That passes; what it cannot do is say when, so we ask again.
constexpr Millis retry_pause{10};

// In the next turn.
constexpr Time at_once{};

bool is_shortage(int code) { return code == ENOBUFS || code == ENOMEM; }
bool is_not_yet(int code) { return code == EAGAIN || code == EWOULDBLOCK; }

bool settle(Operation& operation, Outcome outcome, int code = 0) noexcept {
  operation.outcome = outcome;
  operation.error = code;
  return true;
}

}  // namespace

Readiness::Slot& Readiness::slot(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) slots_.resize(std::max(index + 1, slots_.size() * 2));
  return slots_[index];
}

bool Readiness::wait(Operation& operation) noexcept {
  switch (operation.kind) {
    case Kind::none:
      broken("an operation without a kind was waited for");
    case Kind::sleep:
      timers_.put(operation, operation.deadline);
      return false;
    case Kind::signal:
      if (std::exchange(operation.signalled, false)) {
        operation.kind = Kind::none;
        return settle(operation, Outcome::done);
      }
      if (operation.deadline != never) timers_.put(operation, operation.deadline);
      return false;
    case Kind::readable:
      return park(operation, Interest::reading);
    case Kind::read: {
      if (operation.lent) buffers_.give_back(std::exchange(operation.lent, nullptr));
      const bool registered = slot(operation.fd).interest != Interest::nothing;
      if (registered && !operation.more_likely) return park(operation, Interest::reading);
      break;
    }
    case Kind::write:
      break;
  }
  if (--inline_left_ <= 0) return park_for_retry(operation, at_once);
  if (try_now(operation)) {
    operation.kind = Kind::none;
    return true;
  }
  if (operation.error) return park_for_retry(operation, Clock::now() + retry_pause);
  return park(operation, operation.kind == Kind::write ? Interest::writing : Interest::reading);
}

// False with `error` set: a shortage; without: not ready.
bool Readiness::try_now(Operation& operation) noexcept {
  operation.error = 0;
  return operation.kind == Kind::write ? try_write(operation) : try_read(operation);
}

bool Readiness::try_read(Operation& operation) noexcept {
  const auto buffer = buffers_.current();
  ssize_t got;
  do got = recv(operation.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got > 0) {
    operation.lent = buffers_.lend();
    operation.bytes = buffer.first(static_cast<std::size_t>(got));
    operation.more_likely = operation.bytes.size() == buffer.size();
    return settle(operation, Outcome::done);
  }
  operation.more_likely = false;
  if (got == 0) return settle(operation, Outcome::end_of_stream);
  if (is_not_yet(errno)) return false;
  if (!is_shortage(errno)) return settle(operation, Outcome::failed, errno);
  operation.error = errno;
  return false;
}

bool Readiness::try_write(Operation& operation) noexcept {
  while (!operation.bytes.empty()) {
    const ssize_t sent =
        send(operation.fd, operation.bytes.data(), operation.bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      const auto part = static_cast<std::size_t>(sent);
      operation.bytes = operation.bytes.subspan(part);
      if (operation.progressed) operation.progressed(operation, part);
    } else if (errno == EINTR) {
      continue;
    } else if (is_not_yet(errno)) {
      return false;
    } else if (is_shortage(errno)) {
      operation.error = errno;
      return false;
    } else {
      return settle(operation, Outcome::failed, errno);
    }
  }
  return settle(operation, Outcome::done);
}

bool Readiness::park(Operation& operation, Interest wanted) noexcept {
  auto& place = slot(operation.fd);
  if (place.interest != wanted) {
    const int code = watch(operation.fd, place.interest, wanted);
    if (code == engine_full) {
      operation.kind = Kind::none;
      return settle(operation, Outcome::failed, code);
    }
    // Out of memory for the registration (epoll_ctl(2): ENOMEM, ENOSPC): the client is not given up, but asked after.
    if (code) return park_for_retry(operation, Clock::now() + retry_pause);
    place.interest = wanted;
  }
  place.operation = &operation;
  if (operation.deadline != never) timers_.put_by(operation, operation.deadline);
  return false;
}

bool Readiness::park_for_retry(Operation& operation, Time when) noexcept {
  timers_.put_by(operation, std::min(when, operation.deadline));
  return false;
}

void Readiness::timer_came_up(Operation& operation) noexcept {
  if (operation.kind == Kind::none) return;  // the timer of an earlier, finished request
  if (operation.kind == Kind::sleep) return complete(operation, Outcome::done);
  if (operation.deadline <= now_) {
    withdraw(operation);
    return complete(operation, Outcome::timed_out);
  }
  if (operation.kind == Kind::signal) return timers_.put(operation, operation.deadline);
  if (operation.kind == Kind::readable) {
    withdraw(operation);
    return complete(operation, Outcome::done);
  }
  if (try_now(operation)) return finish(operation);
  const bool shortage = operation.error != 0;
  if (shortage ? park_for_retry(operation, now_ + retry_pause)
               : park(operation, operation.kind == Kind::write ? Interest::writing : Interest::reading))
    finish(operation);
}

// The outcome is set; let go and resume.
void Readiness::finish(Operation& operation) noexcept {
  slot(operation.fd).operation = nullptr;
  complete(operation, operation.outcome);
}

void Readiness::withdraw(Operation& operation) noexcept {
  timers_.remove(operation);
  if (operation.fd >= 0) slot(operation.fd).operation = nullptr;
}

void Readiness::dispatch() noexcept {
  for (next_ready_ = 0; next_ready_ < ready_.size();) dispatch(ready_[next_ready_++]);
  ready_.clear();
}

void Readiness::dispatch(const Ready& ready) noexcept {
  if (ready.fd == wake_fd()) return clear_wake();
  auto& place = slot(ready.fd);
  if (!place.operation) {
    // Something arrived, or the peer hung up, while the handler waits for something else. Level-triggered, that would
    // wake us again and again: registered anew when the handler next reads.
    if (place.interest != Interest::nothing) (void)watch(ready.fd, place.interest, Interest::nothing);
    place.interest = Interest::nothing;
    return;
  }
  auto& operation = *place.operation;
  if (operation.kind == Kind::write ? !ready.writable : !ready.readable) return;
  if (operation.kind == Kind::readable) {
    place.operation = nullptr;
    return complete(operation, Outcome::done);
  }
  if (try_now(operation)) return finish(operation);
  if (operation.error) {
    // Level-triggered readiness would spin on a shortage: stop watching until the retry.
    (void)watch(ready.fd, place.interest, Interest::nothing);
    place = {};
    (void)park_for_retry(operation, now_ + retry_pause);
  }
}

void Readiness::forget(Operation& operation) noexcept {
  timers_.remove(operation);
  if (operation.lent) buffers_.give_back(std::exchange(operation.lent, nullptr));
  forget_requests(operation);
  const auto index = static_cast<std::size_t>(operation.fd);
  if (operation.fd < 0 || index >= slots_.size()) return;
  // Also for epoll, which would notice the close by itself: a listening socket stays open, and shared ones do too.
  if (slots_[index].interest != Interest::nothing) (void)watch(operation.fd, slots_[index].interest, Interest::nothing);
  slots_[index] = {};
}

void Readiness::cancel_all() noexcept {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Operation* operation = std::exchange(slots_[i].operation, nullptr);
    if (!operation) continue;
    withdraw(*operation);
    complete(*operation, Outcome::cancelled);
  }
  cancel_timers();
}

}  // namespace superd
