#include "superd/engines/io_uring.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "superd/engines/engines.h"
#include "superd/engines/transfer.h"

namespace superd {

IoUring::IoUring(std::unique_ptr<Ring> ring, std::unique_ptr<RingBuffers> arrivals)
    : arrivals_(std::move(arrivals)), ring_(std::move(ring)) {
  watch_wake_fd();
}

IoUring::Slot& IoUring::slot(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= slots_.size()) slots_.resize(std::max(index + 1, slots_.size() * 2));
  return slots_[index];
}

// Numbers come again after half a milliard requests, when no answer of the first round is under way any more.
RingTag IoUring::tag(RingTag::What what, Slot& place, int fd) noexcept {
  constexpr std::uint32_t numbers = 1U << 29;
  last_number_ = last_number_ + 1 < numbers ? last_number_ + 1 : 1;
  place.batch = ring_->batch();
  return {what, last_number_, fd};
}

void IoUring::watch_wake_fd() noexcept { ring_->poll_again_and_again({RingTag::What::wake, 0, wake_fd()}, POLLIN); }

bool IoUring::wait(Operation& operation) noexcept {
  return hold(operation, [this](Operation& wanted) noexcept { return start(wanted); });
}

bool IoUring::start(Operation& operation) noexcept {
  switch (operation.kind) {
    case Kind::none: broken("an operation without a kind was waited for");
    case Kind::sleep:
    case Kind::signal:
    case Kind::work: return wait_in_wheel(operation);
    case Kind::home: return at_once(operation);
    case Kind::readable: park_for_poll(operation, slot(operation.fd), POLLIN); return false;
    case Kind::read: {
      give_back(operation);
      auto& place = slot(operation.fd);
      const bool worth_a_try = place.has_arrivals() || (!place.receiving && (!place.known || operation.more_likely));
      if (worth_a_try) break;
      park_for_bytes(operation, place, false);
      return false;
    }
    case Kind::write: {
      // In a dialogue the answers of all who were heard in this turn go out in one call. Otherwise nothing is gained by
      // waiting for the turn's end: a short connection is answered straight from accept, and bulk is bound by the copy.
      auto& place = slot(operation.fd);
      const bool is_dialogue = place.receiving && operation.bytes.size() <= RingBuffers::size;
      if (!is_dialogue) break;
      park_for_send(operation, place);
      return false;
    }
  }
  if (--inline_left_ <= 0) {
    park_for_next_turn(operation);
    return false;
  }
  return try_or_park(operation, slot(operation.fd));
}

bool IoUring::try_or_park(Operation& operation, Slot& place) noexcept {
  const bool writes = operation.kind == Kind::write;
  if (!writes && take_arrival(operation, place)) return true;
  // Never beside the kernel: the bytes would come out of order.
  if (!writes && place.receiving) {
    park(operation, place);
    return false;
  }
  switch (writes ? try_send(operation) : try_receive(operation, buffers_)) {
    case Try::settled:
      if (!writes && operation.outcome == Outcome::done) place.note_size(operation.bytes.size());
      return true;
    case Try::not_ready:
      writes ? park_for_poll(operation, place, POLLOUT) : park_for_bytes(operation, place, true);
      return false;
    case Try::shortage: break;
  }
  place.operation = &operation;
  park_for_retry(operation, Clock::now() + retry_pause);
  return false;
}

void IoUring::Slot::note_size(std::size_t received) noexcept {
  if (received >= RingBuffers::size)
    bulk = bulk_memory;
  else if (bulk > 0)
    --bulk;
}

bool IoUring::take_arrival(Operation& operation, Slot& place) noexcept {
  operation.more_likely = false;
  if (place.unread.length > 0) {
    const auto bytes = arrivals_->take_first(place.unread);
    operation.bytes = bytes;
    operation.lent = const_cast<std::byte*>(bytes.data());
    return settle(operation, Outcome::done);
  }
  if (place.ended == not_ended) return false;
  return place.ended == 0 ? settle(operation, Outcome::end_of_stream) : settle(operation, Outcome::failed, place.ended);
}

void IoUring::park(Operation& operation, Slot& place) noexcept {
  place.operation = &operation;
  if (operation.deadline != never) timers_.put_by(operation, operation.deadline);
}

void IoUring::park_for_bytes(Operation& operation, Slot& place, bool likely_nothing_yet) noexcept {
  place.known = true;
  park(operation, place);
  if (place.receiving) return;
  if (place.bulk > 0) return park_for_poll(operation, place, POLLIN);
  const auto asked = tag(RingTag::What::receive, place, operation.fd);
  place.receiving = asked.number;
  ring_->receive(asked, likely_nothing_yet);
}

void IoUring::park_for_poll(Operation& operation, Slot& place, short events) noexcept {
  park(operation, place);
  const auto asked = tag(RingTag::What::poll, place, operation.fd);
  place.waiting = asked.number;
  place.sending = false;
  ring_->poll(asked, events);
}

void IoUring::park_for_send(Operation& operation, Slot& place) noexcept {
  park(operation, place);
  const auto asked = tag(RingTag::What::send, place, operation.fd);
  place.waiting = asked.number;
  place.sending = true;
  ring_->send(asked, operation.bytes);
}

// The outcome is set; let go.
Operation* IoUring::finish(Operation& operation) noexcept {
  slot(operation.fd).operation = nullptr;
  return completed(operation, operation.outcome);
}

int IoUring::collect(Time until) noexcept {
  const int code = ring_->submit_and_wait(until);
  answers_left_ = ring_->answers();
  // A stop (SIGSTOP) may begin on the way out of the kernel, with answers; and the kernel makes some twenty a call. All
  // that has come goes before the timers that are due by now.
  if (timers_.next() > Clock::now()) return code;
  for (unsigned before = answers_left_; ring_->submit_and_wait({}) == 0; before = answers_left_) {
    answers_left_ = ring_->answers();
    if (answers_left_ == before) break;
  }
  return code;
}

Operation* IoUring::next_event() noexcept {
  while (answers_left_ > 0) {
    --answers_left_;
    if (Operation* operation = answered(ring_->take_answer())) return operation;
  }
  return nullptr;
}

Operation* IoUring::answered(const Ring::Answer& answer) noexcept {
  const auto [what, number, fd] = answer.tag;
  if (what == RingTag::What::nothing) return nullptr;
  if (what == RingTag::What::receive) return received(answer);
  if (what == RingTag::What::wake) {
    clear_wake();
    if (answer.is_last()) watch_wake_fd();
    return nullptr;
  }
  auto& place = slot(fd);
  if (place.waiting != number) return nullptr;
  place.waiting = 0;
  auto& operation = *place.operation;
  if (what == RingTag::What::send) return sent(operation, place, answer.result);
  if (operation.kind == Kind::readable) {
    place.operation = nullptr;
    return completed(operation, Outcome::done);
  }
  return try_or_park(operation, place) ? finish(operation) : nullptr;
}

Operation* IoUring::received(const Ring::Answer& answer) noexcept {
  const int fd = answer.tag.fd;
  auto& place = slot(fd);
  if (place.receiving != answer.tag.number) {
    if (answer.has_buffer()) arrivals_->give_back(answer.buffer());
    return nullptr;
  }
  keep(place, answer);
  if (place.receiving && (place.bulk > 0 || place.unread.length >= most_unread)) stop_receiving(place, fd);
  Operation* reader = place.operation;
  if (!reader || reader->kind != Kind::read) return nullptr;
  return try_or_park(*reader, place) ? finish(*reader) : nullptr;
}

void IoUring::keep(Slot& place, const Ring::Answer& answer) noexcept {
  if (answer.is_last()) {
    place.receiving = 0;
    place.stopping = false;
  }
  if (answer.result > 0) {
    const auto filled = static_cast<std::size_t>(answer.result);
    arrivals_->append(place.unread, answer.buffer(), filled);
    place.note_size(filled);
    return;
  }
  if (answer.has_buffer()) arrivals_->give_back(answer.buffer());
  switch (-answer.result) {
    case ENOBUFS:  // no buffer is left: read by ourselves
      place.bulk = bulk_memory;
      break;
    case ECANCELED:  // by us
    case EINTR:
    case EAGAIN:
    case ENOMEM: break;
    default: place.ended = static_cast<std::int16_t>(-answer.result);
  }
}

Operation* IoUring::sent(Operation& operation, Slot& place, int result) noexcept {
  if (is_not_yet(-result)) {
    park_for_poll(operation, place, POLLOUT);
    return nullptr;
  }
  if (result >= 0) note_sent(operation, static_cast<std::size_t>(result));
  // What is left, or failed, is tried again by the call that knows about failures.
  return try_or_park(operation, place) ? finish(operation) : nullptr;
}

Operation* IoUring::timer_came_up(Operation& operation) noexcept {
  if (!operation.is_held) return nullptr;  // the timer of an earlier, finished request
  if (operation.kind == Kind::sleep) return completed(operation, Outcome::done);
  if (is_overdue(operation)) {
    withdraw(operation);
    return completed(operation, Outcome::timed_out);
  }
  const bool waits_for_answer =
      operation.kind == Kind::signal || operation.kind == Kind::work || operation.kind == Kind::readable;
  auto* place = waits_for_answer ? nullptr : &slot(operation.fd);
  if (waits_for_answer || place->waiting) {
    timers_.put(operation, operation.deadline);
    return nullptr;
  }
  return try_or_park(operation, *place) ? finish(operation) : nullptr;
}

void IoUring::withdraw(Operation& operation) noexcept {
  timers_.remove(operation);
  if (operation.fd < 0) return;
  auto& place = slot(operation.fd);
  place.operation = nullptr;
  if (!place.waiting) return;
  const auto number = std::exchange(place.waiting, 0);
  if (!place.sending)
    ring_->cancel({RingTag::What::poll, number, operation.fd});
  else if (place.batch == ring_->batch())
    ring_->submit();  // and the kernel has done with the bytes
}

void IoUring::stop_receiving(Slot& place, int fd) noexcept {
  if (std::exchange(place.stopping, true)) return;
  ring_->cancel({RingTag::What::receive, place.receiving, fd});
}

void IoUring::give_back(Operation& operation) noexcept {
  if (!operation.lent) return;
  std::byte* buffer = std::exchange(operation.lent, nullptr);
  arrivals_->owns(buffer) ? arrivals_->give_back(buffer) : buffers_.give_back(buffer);
}

// A request under way keeps the socket open beyond close(2): it is told to end. One that is still queued would be for
// whoever has the descriptor next: it is handed over before.
void IoUring::forget(Operation& operation) noexcept {
  timers_.remove(operation);
  give_back(operation);
  forget_requests(operation);
  const auto index = static_cast<std::size_t>(operation.fd);
  if (operation.fd < 0 || index >= slots_.size()) return;
  auto& place = slots_[index];
  arrivals_->give_back_all(place.unread);
  if (place.receiving) stop_receiving(place, operation.fd);
  if (place.batch == ring_->batch()) ring_->submit();
  place = {};
}

void IoUring::cancel_all() noexcept {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Operation* operation = slots_[i].operation;
    if (!operation) continue;
    withdraw(*operation);
    complete(*operation, Outcome::cancelled);
  }
  cancel_timers();
  // The loop may end here, and the sockets it had shall be closed then.
  ring_->submit_and_work();
}

Result<std::unique_ptr<Engine>> make_io_uring() {
  auto ring = Ring::make();
  if (!ring) return std::unexpected(ring.error());
  auto arrivals = RingBuffers::make(**ring);
  if (!arrivals) return std::unexpected(arrivals.error());
  return std::make_unique<IoUring>(std::move(*ring), std::move(*arrivals));
}

}  // namespace superd
