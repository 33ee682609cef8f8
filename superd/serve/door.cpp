#include "superd/serve/door.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>

#include "superd/base/log.h"
#include "superd/serve/accept_errors.h"

namespace superd {

namespace {

// Long enough that a loop out of descriptors costs nothing, short enough that nobody notices when it is over.
constexpr Millis first_pause{10}, longest_pause{100};

// How many connections wait in a listener's backlog (tcpi_unacked of a listening socket); a few where the kernel cannot
// tell, which is at unix sockets.
int queued_at(const Listener& listener) noexcept {
  constexpr int a_few = 16;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (listener.transport != Transport::tcp) return a_few;
  if (getsockopt(listener.socket.fd(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return static_cast<int>(info.tcpi_unacked);
}

}  // namespace

class Door::BatchPath final : public AnswerPath {
 public:
  explicit BatchPath(int fd) : outbox_(fd) {}
  void send(DatagramSlot& slot, std::span<const std::byte> bytes) override { outbox_.add(slot, bytes); }
  void flush(Counters& counters) noexcept { count_sent(counters, outbox_.flush()); }

 private:
  Outbox outbox_;
};

Door::Door(std::shared_ptr<Listener> listener, Waiter& waiter, Placement& placement, Manner manner)
    : listener_(std::move(listener)),
      hosted_(*listener_->hosted),
      waiter_(waiter),
      placement_(placement),
      manner_(manner),
      pause_(first_pause) {
  operation_.fd = listener_->socket.fd();
  if (is_stream(listener_->transport)) return;
  slots_.resize(static_cast<std::size_t>(manner_.batch));
  path_ = std::make_unique<BatchPath>(operation_.fd);
}

Door::~Door() = default;

void Door::open() { attend(); }

void Door::close() noexcept {
  closing_.store(true, std::memory_order_release);
  waiter_.cancel(operation_);
}

detached Door::attend() {
  if (is_stream(listener_->transport))
    co_await take_connections();
  else
    co_await take_datagrams();
  hosted_.level.withdraw(operation_);
  waiter_.forget(operation_);
  closed_.store(true, std::memory_order_release);
}

// Until there may be somebody to take in. A socket that should block and does not was switched by another process that
// shares it: a pause keeps that from spinning.
Wait Door::more() noexcept {
  operation_.kind = manner_.blocking ? Kind::sleep : Kind::readable;
  operation_.deadline = manner_.blocking ? Clock::now() + first_pause : never;
  return {waiter_, operation_};
}

// While closing, those who already wait are let in, and nobody is waited for.
bool Door::may_take_in() noexcept {
  if (!is_closing()) return true;
  if (last_calls_ < 0) last_calls_ = queued_at(*listener_);
  return last_calls_-- > 0 && hosted_.level.vacant() > 0;
}

task<> Door::take_connections() {
  int left = manner_.burst;
  while (may_take_in()) {
    if (hosted_.limits.when_full == WhenFull::wait && hosted_.level.vacant() <= 0) {
      co_await wait_for_vacancy();
      continue;
    }
    int code = 0;
    if (!accept_one(code)) {
      const Trouble trouble = trouble_of(code);
      if (trouble == Trouble::shortage) {
        note_shortage(code);
        co_await pause();
      } else if (trouble == Trouble::gone) {
        hosted_.counters.failed_accept.add();
      } else if (trouble == Trouble::nothing_there) {
        if (is_closing()) co_return;
        left = manner_.burst;
        co_await more();
      }
      continue;
    }
    const ClientKey client = client_key();
    take_seat(client);
    if (accepted_.is_open() && !seat_.is_taken()) co_await find_seat(client);
    while (accepted_.is_open() && !placement_.place(hosted_, accepted_, seat_)) {
      hosted_.counters.out_of_threads.add();
      co_await pause();
    }
    pause_ = first_pause;
    if (--left == 0) {
      left = manner_.burst;
      co_await more();
    }
  }
}

bool Door::accept_one(int& code) noexcept {
  socklen_t size = Endpoint::capacity;
  // Of the unnamed peers of a unix socket the kernel writes the family alone.
  accepted_.reset(accept4(operation_.fd, from_.address(), &size, SOCK_CLOEXEC));
  if (!accepted_.is_open()) {
    code = errno;
    return false;
  }
  from_.set_size(size);
  hosted_.counters.accepted.add();
  return true;
}

ClientKey Door::client_key() const noexcept {
  if (listener_->transport != Transport::unix_stream) return ClientKey::of(from_);
  ucred peer{};
  socklen_t size = sizeof peer;
  (void)getsockopt(accepted_.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return ClientKey::of_user(peer.uid);
}

// Neither seat nor connection afterwards: refused. No seat: the level was reached while we accepted.
void Door::take_seat(const ClientKey& client) noexcept {
  auto taken = hosted_.level.take(client, accepted_.fd());
  if (taken) {
    seat_ = std::move(*taken);
    return;
  }
  const bool full = taken.error() == Level::Refusal::full;
  if (full && hosted_.limits.when_full == WhenFull::wait) return;
  (full ? hosted_.counters.refused_level : hosted_.counters.refused_client).add();
  if (log_enabled(Severity::debug))
    log_event(Severity::debug, "connection refused",
              {{"service", hosted_.name}, {"client", from_.text()}, {"why", full ? "level" : "per_client"}});
  accepted_.close_with_reset();
}

// Between our look at the level and accept(2), another door at the same level was quicker.
task<> Door::find_seat(ClientKey client) {
  while (accepted_.is_open() && !seat_.is_taken()) {
    if (is_closing()) {
      hosted_.counters.refused_level.add();
      accepted_.close_with_reset();
      co_return;
    }
    co_await wait_for_vacancy();
    take_seat(client);
  }
}

task<> Door::wait_for_vacancy() {
  operation_.kind = Kind::signal;
  operation_.deadline = never;
  if (!hosted_.level.ask_for_vacancy(waiter_, operation_)) co_return;
  hosted_.counters.full.add();
  if (!is_closing()) co_await Wait(waiter_, operation_);
  hosted_.level.withdraw(operation_);
}

task<> Door::pause() {
  operation_.kind = Kind::sleep;
  operation_.deadline = Clock::now() + pause_;
  pause_ = std::min(pause_ * 2, longest_pause);
  co_await Wait(waiter_, operation_);
}

void Door::note_shortage(int code) noexcept {
  const bool descriptors = code == EMFILE || code == ENFILE;
  (descriptors ? hosted_.counters.out_of_descriptors : hosted_.counters.out_of_memory).add();
  // Once a shortage, not once a try.
  if (pause_ == first_pause)
    log_event(Severity::warning, "listener pauses",
              {{"service", hosted_.name}, {"on", listener_->local.text()}, {"why", errno_text(code)}});
}

task<> Door::take_datagrams() {
  int left = manner_.burst;
  for (;;) {
    if (hosted_.level.vacant() <= 0) {
      if (is_closing()) co_return;
      co_await wait_for_vacancy();
      continue;
    }
    const auto count = receive_batch();
    if (!count) {
      const Trouble trouble = trouble_of(count.error());
      if (trouble == Trouble::shortage) {
        note_shortage(count.error());
        co_await pause();
      } else if (trouble == Trouble::nothing_there) {
        if (is_closing()) co_return;
        left = manner_.burst;
        co_await more();
      }
      continue;
    }
    pause_ = first_pause;
    judge_batch(*count);
    co_await serve_batch(*count);
    // What was queued when we began to close was at most a batch or a few; whoever still sends is not waited for.
    if (is_closing() && --last_calls_ < -4) co_return;
    if (--left == 0) {
      left = manner_.burst;
      co_await more();
    }
  }
}

std::expected<std::size_t, int> Door::receive_batch() noexcept {
  std::array<DatagramSlot*, 64> room;
  const auto most = std::min<std::size_t>({slots_.size(), room.size(), static_cast<std::size_t>(std::max(1, hosted_.level.vacant()))});
  for (std::size_t i = 0; i < most; ++i) {
    // Not zeroed: 64 KiB each, of which a datagram touches what it needs.
    if (!slots_[i]) slots_[i].reset(new (std::nothrow) DatagramSlot);
    if (!slots_[i]) return std::unexpected(ENOMEM);
    room[i] = slots_[i].get();
  }
  const bool may_block = manner_.blocking && !is_closing();
  return receive_datagrams(operation_.fd, std::span(room).first(most), may_block ? MSG_WAITFORONE : MSG_DONTWAIT);
}

// What must not be answered is emptied, which serve_batch() passes over.
void Door::judge_batch(std::size_t count) noexcept {
  auto& counters = hosted_.counters;
  waiter_.refresh_now();
  counters.received.add(count);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto& slot = *slots_[i];
    bytes += slot.size;
    if (slot.kernel_drops) listener_->note_kernel_drops(slot.kernel_drops);
    slot.admitted = false;
    if (slot.truncated) {
      counters.dropped_truncated.add();
      continue;
    }
    switch (hosted_.answers.judge(slot.from, slot.to, waiter_.now())) {
      case AnswerGuard::Verdict::answer: slot.admitted = true; break;
      case AnswerGuard::Verdict::bad_source: counters.dropped_source.add(); break;
      case AnswerGuard::Verdict::over_rate: counters.dropped_rate.add(); break;
    }
  }
  counters.bytes_in.add(bytes);
}

// Alone at its level, a datagram that is handled at once cannot exceed its client's share, and needs no look-up.
Seat Door::seat_for(const DatagramSlot& slot) noexcept {
  auto taken = hosted_.level.count() == 0 ? hosted_.level.take() : hosted_.level.take(ClientKey::of(slot.from), -1);
  if (taken) return std::move(*taken);
  if (taken.error() == Level::Refusal::client_has_enough) hosted_.counters.dropped_client.add();
  return {};
}

task<> Door::serve_batch(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (!slots_[i]->admitted) continue;
    seat_ = seat_for(*slots_[i]);
    while (!seat_.is_taken() && hosted_.level.vacant() <= 0 && !is_closing()) {
      path_->flush(hosted_.counters);
      co_await wait_for_vacancy();
      seat_ = seat_for(*slots_[i]);
    }
    if (!seat_.is_taken()) continue;
    while (!placement_.place(listener_, slots_[i], *path_, seat_)) {
      hosted_.counters.out_of_threads.add();
      path_->flush(hosted_.counters);
      co_await pause();
    }
  }
  path_->flush(hosted_.counters);
}

bool PlaceHere::place(HostedService& hosted, Socket& socket, Seat& seat) try {
  converse(hosted, socket, waiter_, seat);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool PlaceHere::place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
                      Seat& seat) try {
  converse(listener, slot, path, waiter_, seat);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

}  // namespace superd
