#include "superd/engines/readiness.h"

#include <algorithm>
#include <utility>

#include "superd/base/error.h"
#include "superd/engines/transfer.h"

namespace superd {

Readiness::Slot& Readiness::slot(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) slots_.resize(std::max(index + 1, slots_.size() * 2));
  return slots_[index];
}

bool Readiness::wait(Operation& operation) noexcept {
  return hold(operation, [this](Operation& wanted) noexcept { return start(wanted); });
}

bool Readiness::start(Operation& operation) noexcept {
  switch (operation.kind) {
    case Kind::none: broken("an operation without a kind was waited for");
    case Kind::sleep:
    case Kind::signal:
    case Kind::work: return wait_in_wheel(operation);
    case Kind::home: return at_once(operation);
    case Kind::readable: return park(operation, Interest::reading);
    case Kind::read: {
      if (operation.lent) buffers_.give_back(std::exchange(operation.lent, nullptr));
      const bool registered = slot(operation.fd).interest != Interest::nothing;
      if (registered && !operation.more_likely) return park(operation, Interest::reading);
      break;
    }
    case Kind::write: break;
  }
  if (--inline_left_ <= 0) {
    park_for_next_turn(operation);
    return false;
  }
  return try_or_park(operation);
}

bool Readiness::try_or_park(Operation& operation) noexcept {
  const bool writes = operation.kind == Kind::write;
  switch (writes ? try_send(operation) : try_receive(operation, buffers_)) {
    case Try::settled: return true;
    case Try::not_ready: return park(operation, writes ? Interest::writing : Interest::reading);
    case Try::shortage: break;
  }
  // Level-triggered readiness would spin on a shortage: not watched until the retry.
  auto& place = slot(operation.fd);
  if (place.interest != Interest::nothing) (void)watch(operation.fd, place.interest, Interest::nothing);
  place = {};
  park_for_retry(operation, Clock::now() + retry_pause);
  return false;
}

bool Readiness::park(Operation& operation, Interest wanted) noexcept {
  auto& place = slot(operation.fd);
  if (place.interest != wanted) {
    const int code = watch(operation.fd, place.interest, wanted);
    if (code == engine_full) {
      return settle(operation, Outcome::failed, code);
    }
    // Out of memory for the registration (epoll_ctl(2): ENOMEM, ENOSPC): the client is not given up, but asked after.
    if (code) {
      park_for_retry(operation, Clock::now() + retry_pause);
      return false;
    }
    place.interest = wanted;
  }
  place.operation = &operation;
  if (operation.deadline != never) timers_.put_by(operation, operation.deadline);
  return false;
}

Operation* Readiness::timer_came_up(Operation& operation) noexcept {
  if (!operation.is_held) return nullptr;  // the timer of an earlier, finished request
  if (operation.kind == Kind::sleep) return completed(operation, Outcome::done);
  if (is_overdue(operation)) {
    withdraw(operation);
    return completed(operation, Outcome::timed_out);
  }
  if (operation.kind == Kind::signal || operation.kind == Kind::work) {
    timers_.put(operation, operation.deadline);
    return nullptr;
  }
  if (operation.kind == Kind::readable) {
    withdraw(operation);
    return completed(operation, Outcome::done);
  }
  return try_or_park(operation) ? finish(operation) : nullptr;
}

// The outcome is set; let go.
Operation* Readiness::finish(Operation& operation) noexcept {
  slot(operation.fd).operation = nullptr;
  return completed(operation, operation.outcome);
}

void Readiness::withdraw(Operation& operation) noexcept {
  timers_.remove(operation);
  if (operation.fd >= 0) slot(operation.fd).operation = nullptr;
}

Operation* Readiness::next_event() noexcept {
  while (next_ready_ < ready_.size())
    if (Operation* operation = look_at(ready_[next_ready_++])) return operation;
  ready_.clear();
  next_ready_ = 0;
  return nullptr;
}

Operation* Readiness::look_at(const Ready& ready) noexcept {
  if (ready.fd == wake_fd()) {
    clear_wake();
    return nullptr;
  }
  auto& place = slot(ready.fd);
  if (!place.operation) {
    // Something arrived, or the peer hung up, while the handler waits for something else. Level-triggered, that would
    // wake us again and again: registered anew when the handler next reads.
    if (place.interest != Interest::nothing) (void)watch(ready.fd, place.interest, Interest::nothing);
    place.interest = Interest::nothing;
    return nullptr;
  }
  auto& operation = *place.operation;
  if (operation.kind == Kind::write ? !ready.writable : !ready.readable) return nullptr;
  if (operation.kind == Kind::readable) {
    place.operation = nullptr;
    return completed(operation, Outcome::done);
  }
  return try_or_park(operation) ? finish(operation) : nullptr;
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
