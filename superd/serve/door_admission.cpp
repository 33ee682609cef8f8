// Whom a Door lets in, whom it keeps for a while, and how it refuses the others; its waits are in door.cpp.

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <utility>

#include "superd/serve/door.h"

namespace superd {

namespace {

/// An orderly end that does not destroy what was sent last: unread bytes would turn it into a reset (RFC 2525, 2.17).
void end_after_words(int fd) noexcept {
  char unread[512];
  (void)shutdown(fd, SHUT_WR);
  while (recv(fd, unread, sizeof unread, MSG_DONTWAIT) == sizeof unread) {
  }
}

}  // namespace

// The next one to be let in, at the door or among those that were kept: 0, or the errno.
int Door::next_client() noexcept {
  if (!delayed_.is_empty() || !tarpit_.is_empty()) {
    waiter_.refresh_now();
    end_tarpitted();
    if (delayed_.next() <= waiter_.now()) return go_on_with_delayed();
    if (chore_comes_first()) return EINTR;
  }
  if (const int code = accept_one()) return code;
  admit();
  return 0;
}

int Door::accept_one() noexcept {
  if (manner_.blocking) pass_vacancy_on();
  socklen_t size = Endpoint::capacity;
  accepted_.reset(accept4(operation_.fd, from_.address(), &size, SOCK_CLOEXEC));
  if (!accepted_.is_open()) return errno;
  is_taking_.store(false, std::memory_order_release);
  from_.set_size(size);
  // A loop knows the time well enough; who blocked in accept(2) does not.
  if (manner_.blocking) waiter_.refresh_now();
  taken_in_ = waiter_.now();
  client_ = client_key();
  hosted_.counters.accepted.add();
  return 0;
}

// Where accept(2) would block beyond the time at which there is something else to do.
bool Door::chore_comes_first() noexcept {
  if (!manner_.blocking || !can_delay()) return false;
  pollfd door{.fd = operation_.fd, .events = POLLIN, .revents = 0};
  const auto left = std::chrono::ceil<Millis>(std::max(next_chore() - waiter_.now(), Clock::duration::zero()));
  const int found = poll(&door, 1, static_cast<int>(std::min(left, Millis(HeldClients::patience)).count()));
  return found <= 0;
}

/// Is there a clock beside the door? Where several threads block in accept(2) at one socket there is none.
bool Door::can_delay() const noexcept { return !manner_.blocking || manner_.batch > 1; }

Time Door::next_chore() const noexcept { return std::min({delayed_.next(), tarpit_.next(), hosted_.refusals.next()}); }

// Who was to come later is let in at once when the door closes: the rate is for those who come, not for those who are in.
bool Door::has_delayed() noexcept {
  is_taking_.store(false, std::memory_order_release);
  return !delayed_.is_empty();
}

int Door::go_on_with_delayed() noexcept {
  is_taking_.store(false, std::memory_order_release);
  auto held = delayed_.take();
  accepted_ = std::move(held.socket);
  from_ = held.from;
  client_ = held.client;
  taken_in_ = waiter_.now();
  return 0;
}

void Door::end_tarpitted() noexcept {
  while (tarpit_.next() <= waiter_.now()) (void)tarpit_.take();
}

bool Door::is_too_busy() const noexcept {
  return hosted_.limits->when_full == WhenFull::wait && !is_closing() && hosted_.admission.is_overloaded(waiter_.now());
}

ClientKey Door::client_key() const noexcept {
  if (listener_->transport != Transport::unix_stream) return ClientKey::of(from_);
  ucred peer{};
  socklen_t size = sizeof peer;
  (void)getsockopt(accepted_.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return ClientKey::of_user(peer.uid);
}

// No connection afterwards: it is refused, or kept until later.
void Door::admit() noexcept {
  const bool can_wait = can_delay() && delayed_.has_room();
  const auto answer = hosted_.admission.admit(from_, client_, taken_in_, can_wait ? HeldClients::patience : Millis{0});
  switch (answer.kind) {
    case Admission::Answer::Kind::yes: return;
    case Admission::Answer::Kind::no: return refuse(answer.why);
    case Admission::Answer::Kind::later: break;
  }
  if (delayed_.keep(accepted_, from_, client_, taken_in_ + answer.wait))
    hosted_.counters.delayed.add();
  else
    refuse(answer.why);
}

// Neither seat nor connection afterwards: refused. No seat: the level is reached.
void Door::take_seat() noexcept try {
  if (!accepted_.is_open()) return;
  auto taken = hosted_.level.take(client_, accepted_.fd());
  if (taken) {
    seat_ = std::move(*taken);
    seat_.note_taken_in(taken_in_);
    return;
  }
  switch (taken.error()) {
    case Level::Refusal::client_has_enough: return refuse(Refusal::client);
    case Level::Refusal::prefix_has_enough: return refuse(Refusal::prefix);
    case Level::Refusal::full: break;
  }
  if (hosted_.limits->when_full == WhenFull::refuse) refuse(Refusal::level);
} catch (const std::bad_alloc&) {
  refuse(Refusal::memory);
}

void Door::greet() noexcept {
  if (const auto size = hosted_.admission.banner().send_to(accepted_.fd())) hosted_.counters.bytes_out.add(size);
}

void Door::note_refusal(Refusal why, const Endpoint& from) noexcept {
  (hosted_.counters.*entry_of(why).counter).add();
  hosted_.refusals.note(why, from, waiter_.now());
}

void Door::refuse(Refusal why) noexcept {
  note_refusal(why, from_);
  end_refused();
  accepted_.reset();
}

void Door::end_refused() noexcept {
  const auto& limits = *hosted_.limits;
  const auto words = hosted_.admission.banner_refused().send_to(accepted_.fd());
  hosted_.counters.bytes_out.add(words);
  if (limits.refused == Refused::tarpit && !is_closing()) {
    const bool is_kept = tarpit_.keep(accepted_, from_, client_, waiter_.now() + limits.tarpit_time);
    (is_kept ? hosted_.counters.tarpitted : hosted_.counters.tarpit_full).add();
    if (is_kept) return;
  } else if (words > 0) {
    return end_after_words(accepted_.fd());
  } else if (limits.refused == Refused::close) {
    return;
  }
  accepted_.close_with_reset();
}

}  // namespace superd
