#include "superd/serve/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace superd {

namespace {

End end_of(const Operation& operation) noexcept {
  switch (operation.outcome) {
    case Outcome::done: return End::not_yet;
    case Outcome::end_of_stream: return End::finished;
    case Outcome::cancelled: return End::drained;
    case Outcome::timed_out: return End::idle;
    case Outcome::failed: break;
  }
  return operation.error == engine_full ? End::no_room : End::reset;
}

// In 32 bits: a client is not waited for longer than 24 days without a byte.
std::int32_t full_patience(const HostedService& hosted) noexcept {
  return static_cast<std::int32_t>(
      std::min<Millis::rep>(hosted.limits->idle.count(), std::numeric_limits<std::int32_t>::max()));
}

// What a client may still send after the end before its flood gets a reset.
constexpr std::uint32_t most_lingered = 1 << 20;

}  // namespace

std::string_view name_of(End end) noexcept {
  switch (end) {
    case End::not_yet: return "served";
    case End::finished: return "finished";
    case End::reset: return "reset";
    case End::idle: return "idle";
    case End::slow: return "slow";
    case End::too_long: return "too long";
    case End::drained: return "cut";
    case End::no_room: return "engine full";
  }
  return "?";
}

Connection::Connection(int socket, Waiter& waiter, HostedService& hosted) noexcept
    : waiter_(waiter), hosted_(hosted), began_(waiter.now()), patience_(full_patience(hosted)) {
  fd = socket;
  progressed = &Connection::wrote;
  waiter_.note_conversation(1);
}

Connection::~Connection() {
  waiter_.forget(*this);
  waiter_.note_conversation(-1);
}

bool Connection::begin(Kind what, std::coroutine_handle<> handler) noexcept {
  kind = what;
  parked = handler;
  // Lingering is reckoned from our end, not from the client's last byte: `linger` is all it gets.
  if (!lingers_) waiting_since_ = waiter_.now();
  set_deadline();
  // Who is never waited for never times out: a client that takes at once all that a handler writes now and then.
  if (waiter_.now() >= began_ + hosted_.limits->total) {
    outcome = Outcome::timed_out;
    return false;
  }
  return !waiter_.wait(*this);
}

void Connection::set_deadline() noexcept {
  const Time limit = waiting_since_ + (lingers_ ? hosted_.limits->linger : Millis(patience_));
  deadline = std::min(limit, began_ + hosted_.limits->total);
}

// Waiting takes from the client's patience, bytes give it back at min_rate, up to `idle`.
void Connection::note_waiting(std::size_t moved) noexcept {
  const Time now = waiter_.now();
  const auto full = full_patience(hosted_);
  const auto waited = std::chrono::duration_cast<Millis>(now - waiting_since_).count();
  const auto earned =
      static_cast<Millis::rep>(std::min<std::uint64_t>(moved, 1U << 30) * 1000 / hosted_.limits->min_rate);
  waiting_since_ = now;
  patience_ =
      static_cast<std::int32_t>(std::min<Millis::rep>(full, std::max<Millis::rep>(0, patience_ - waited) + earned));
}

void Connection::settle(std::size_t moved) noexcept {
  const bool was_patient = patience_ >= full_patience(hosted_);
  if (outcome == Outcome::done) return note_waiting(moved);
  end_ = end_of(*this);
  if (end_ == End::idle && !was_patient) end_ = End::slow;
  if (outcome == Outcome::timed_out && waiter_.now() >= began_ + hosted_.limits->total) end_ = End::too_long;
  // A cut connection was shut down, which to a blocked call looks as if the client had ended it.
  if (hosted_.level.is_cut()) end_ = End::drained;
}

Chunk Connection::end_read() noexcept {
  if (has_rest()) return Chunk({rest_, std::exchange(rest_size_, 0)});
  if (is_over()) return {};
  if (outcome != Outcome::done) {
    settle(0);
    return {};
  }
  bytes_in_ += bytes.size();
  settle(bytes.size());
  return Chunk(bytes);
}

void Connection::wrote(Operation& operation, std::size_t part) noexcept {
  auto& client = static_cast<Connection&>(operation);
  client.bytes_out_ += part;
  client.note_waiting(part);
  client.set_deadline();
}

bool Connection::end_write() noexcept {
  if (is_cut_off()) return false;
  if (outcome == Outcome::done) return true;
  settle(0);
  return false;
}

bool Connection::begin_sleep(std::coroutine_handle<> handler, Millis duration) noexcept {
  kind = Kind::sleep;
  parked = handler;
  deadline = Clock::now() + duration;
  return !waiter_.wait(*this);
}

bool Connection::begin_work(std::coroutine_handle<> handler, Work& wanted) noexcept {
  kind = Kind::work;
  parked = handler;
  deadline = never;
  work = &wanted;
  return !waiter_.wait(*this);
}

bool Connection::begin_home(std::coroutine_handle<> root) noexcept {
  kind = Kind::home;
  parked = root;
  is_brief = true;
  return !waiter_.wait(*this);
}

bool Connection::end_sleep() noexcept {
  if (is_cut_off()) return false;
  if (outcome == Outcome::done && !hosted_.level.is_cut()) return true;
  end_ = End::drained;
  return false;
}

task<bool> Connection::read_exactly(std::span<std::byte> into) {
  while (!into.empty()) {
    const Chunk chunk = co_await read();
    if (!chunk) co_return false;
    const auto taken = std::min(into.size(), chunk.bytes().size());
    std::memcpy(into.data(), chunk.bytes().data(), taken);
    into = into.subspan(taken);
    rest_ = chunk.bytes().data() + taken;
    rest_size_ = static_cast<std::uint32_t>(chunk.bytes().size() - taken);
  }
  co_return true;
}

void Connection::finish_writing() noexcept { shutdown(fd, SHUT_WR); }

bool Connection::must_linger() noexcept {
  if (is_over()) return false;
  if (lingers_) return lingered_ < most_lingered;
  std::byte one;
  if (recv(fd, &one, 1, MSG_DONTWAIT | MSG_PEEK) <= 0) return false;
  finish_writing();
  waiting_since_ = waiter_.now();
  return lingers_ = true;
}

void Connection::end_linger() noexcept {
  if (outcome == Outcome::timed_out) hosted_.counters.timed_out_linger.add();
  if (outcome == Outcome::done)
    lingered_ += static_cast<std::uint32_t>(bytes.size());
  else
    lingered_ = most_lingered;
}

Endpoint Connection::peer() const noexcept {
  Endpoint result;
  socklen_t size = Endpoint::capacity;
  if (getpeername(fd, result.address(), &size) != 0) return {};
  result.set_size(size);
  return result.unmapped();
}

Endpoint Connection::local() const noexcept {
  Endpoint result;
  socklen_t size = Endpoint::capacity;
  if (getsockname(fd, result.address(), &size) != 0) return {};
  result.set_size(size);
  return result.unmapped();
}

Millis Connection::duration() const noexcept { return std::chrono::duration_cast<Millis>(waiter_.now() - began_); }

}  // namespace superd
