#include "superd/lab/ping.h"

#include <sys/random.h>

#include <algorithm>

#include "superd/lab/waits.h"

namespace superd {
namespace {

/// Probes under way at once, if the kernel has room for their answers. More made nothing faster: on loopback a batch is
/// answered before the next one is sent.
constexpr std::uint64_t largest_window = 4096;
/// While nobody has answered, a probe takes its place in the window for so long.
constexpr Clock::duration first_patience = Millis(100);
/// Between two looks at signals and at what is shown.
constexpr Clock::duration look = Millis(20);

SipHash::Secret new_secret() {
  SipHash::Secret secret;
  if (::getrandom(secret.data(), sizeof secret, 0) != sizeof secret) broken("getrandom gave less than was asked for");
  return secret;
}

std::uint64_t stamp_of(Time time) noexcept {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(time.time_since_epoch()).count());
}

}  // namespace

Pinger::Pinger(const PingTargets& targets, const PingManner& manner)
    : targets_(targets), manner_(manner), hash_(new_secret()), tally_(targets.size()), pace_(manner.rate) {}

Result<Pinger> Pinger::open(const PingTargets& targets, const PingManner& manner) {
  Pinger pinger(targets, manner);
  const EchoOptions options{.size = manner.size, .ttl = manner.ttl, .is_precise = targets.size() <= PingTally::few};
  pinger.window_limit_ = largest_window;
  const auto open_one = [&](IcmpVersion version, std::optional<EchoSocket>& place) -> Result<> {
    auto socket = EchoSocket::open(version, options);
    if (!socket) return std::unexpected(socket.error());
    pinger.window_limit_ = std::min<std::uint64_t>(pinger.window_limit_, socket->answers_that_fit());
    place.emplace(std::move(*socket));
    return {};
  };
  if (targets.has_v4())
    if (auto opened = open_one(IcmpVersion::v4, pinger.v4_); !opened) return std::unexpected(opened.error());
  if (targets.has_v6())
    if (auto opened = open_one(IcmpVersion::v6, pinger.v6_); !opened) return std::unexpected(opened.error());
  return pinger;
}

std::optional<bool> Pinger::is_raw(IcmpVersion version) const noexcept {
  const auto& socket = version == IcmpVersion::v4 ? v4_ : v6_;
  return socket ? std::optional(socket->is_raw()) : std::nullopt;
}

bool Pinger::has_more() const noexcept { return manner_.count == 0 || round_ < manner_.count; }

void Pinger::run(PingListener& listener) {
  listener_ = &listener;
  while (!was_interrupted() && (has_more() || window_.unanswered() > 0)) {
    auto now = Clock::now();
    const auto sent = has_more() ? send_due(now) : 0;
    const auto got = receive();
    now = Clock::now();
    window_.age(now, patience());
    window_.expire(now, manner_.timeout, [&](std::uint64_t number) { listener_->on_silence(probe_of(number)); });
    if (sent == 0 && got == 0) wait(now);
    if (now - looked_ < look) continue;
    looked_ = now;
    wait_for({}, now);
    listener_->on_moment(tally_, now);
  }
}

std::uint64_t Pinger::send_due(Time now) {
  const auto in_window = window_limit_ - std::min(window_.pending(), window_limit_);
  const auto most = std::min({in_window, window_.room(), pace_.allowed(now)});
  if (most == 0 || !is_round_due(now)) return 0;
  auto& socket = *socket_for(index_);
  const auto first = window_.next();
  const auto count = fill_batch(socket, most, now);
  window_.note_sent(count, now);
  pace_.note_sent(count);
  socket.flush([&](std::size_t place, int code) { refuse(first + place, code); });
  return count;
}

/// As many as may leave now, in this round or in following ones, over the same socket.
std::uint64_t Pinger::fill_batch(EchoSocket& socket, std::uint64_t most, Time now) {
  most = std::min<std::uint64_t>(most, socket.batch());
  const auto sent = stamp_of(now);
  std::uint64_t count = 0;
  while (count < most && has_more() && is_round_due(now) && &*socket_for(index_) == &socket) {
    if (index_ == 0) begin_round(now);
    const ProbeStamp stamp{sent, window_.next() + count};
    stamp.write(hash_, socket.next_body(targets_.socket_address(index_)));
    socket.seal(static_cast<std::uint16_t>(round_));
    tally_.note_sent(index_, round_);
    ++count;
    if (++index_ < targets_.size()) continue;
    index_ = 0;
    ++round_;
  }
  return count;
}

void Pinger::begin_round(Time now) noexcept {
  // A round that is late does not hurry the ones behind it.
  const bool is_late = now - next_round_ > manner_.interval;
  next_round_ = (is_late ? now : next_round_) + manner_.interval;
}

void Pinger::refuse(std::uint64_t number, int code) {
  const auto probe = probe_of(number);
  take_failure({.kind = EchoArrival::Kind::failure,
                .target = targets_[probe.index],
                .sequence = static_cast<std::uint16_t>(probe.round),
                .local_error = code,
                .received = Clock::now()});
}

std::size_t Pinger::receive() {
  std::size_t all = 0;
  for (auto* socket : {&v4_, &v6_})
    if (*socket) all += (*socket)->receive([&](const EchoArrival& arrival) { take(arrival); });
  return all;
}

void Pinger::take(const EchoArrival& arrival) {
  using enum EchoArrival::Kind;
  switch (arrival.kind) {
    case reply: return take_reply(arrival);
    case failure: return take_failure(arrival);
    case damaged: ++tally_.damaged; return;
  }
}

void Pinger::take_reply(const EchoArrival& arrival) {
  const auto stamp = ProbeStamp::read(hash_, arrival.body);
  const auto probe = stamp ? probe_of(stamp->number) : PingListener::Probe{};
  if (!stamp || targets_[probe.index] != arrival.from) {
    ++tally_.strange;
    return;
  }
  const auto sent = Time(std::chrono::nanoseconds(stamp->sent));
  const auto time = std::max(arrival.received - sent, Clock::duration{});
  const auto answer = window_.note_answer(stamp->number);
  bool is_new = answer != ProbeWindow::Answer::again;
  // Of one that is no longer watched the tally knows, for a few rounds.
  if (is_new)
    is_new = tally_.note_reply(probe.index, probe.round, time);
  else
    ++tally_.duplicates;
  if (is_new && answer == ProbeWindow::Answer::late) ++tally_.late;
  if (is_new && answer == ProbeWindow::Answer::first) {
    round_trip_.note(time);
    is_round_trip_known_ = true;
  }
  listener_->on_reply(probe, arrival, time, !is_new);
}

void Pinger::take_failure(const EchoArrival& arrival) {
  const auto index = targets_.index_of(arrival.target);
  if (!index) {
    ++tally_.strange;
    return;
  }
  // The last round that has this sequence number.
  const auto last = *index < index_ ? round_ : round_ - 1;
  const auto round = last - ((last - arrival.sequence) & 0xffffU);
  if (round > last) return;
  const auto number = std::uint64_t{round} * targets_.size() + *index;
  if (number >= window_.next()) return;
  if (window_.note_answer(number) == ProbeWindow::Answer::again) return;
  tally_.note_failure(*index, arrival);
  listener_->on_failure({*index, round}, arrival);
}

/// Until something arrives, or is due.
void Pinger::wait(Time now) {
  Time until = std::min(window_.next_expiry(manner_.timeout), now + Millis(100));
  if (has_more()) {
    const auto next = index_ == 0 ? std::max(next_round_, pace_.next()) : pace_.next();
    const bool is_window_full = window_.pending() >= window_limit_ || window_.room() == 0;
    until = std::min(until, is_window_full ? now + Millis(1) : next);
  }
  // What is negative is not looked at (poll(2)).
  pollfd waiting[] = {
      {v4_ ? v4_->fd() : -1, POLLIN, 0},
      {v6_ ? v6_->fd() : -1, POLLIN, 0}
  };
  wait_for(waiting, until);
  if (v4_ && (waiting[0].revents & POLLERR) != 0) v4_->expect_failures();
  if (v6_ && (waiting[1].revents & POLLERR) != 0) v6_->expect_failures();
}

Clock::duration Pinger::patience() const noexcept {
  const auto learnt = is_round_trip_known_ ? round_trip_.timeout(0) : first_patience;
  return std::min<Clock::duration>(learnt, manner_.timeout);
}

PingListener::Probe Pinger::probe_of(std::uint64_t number) const noexcept {
  return {static_cast<std::uint32_t>(number % targets_.size()), static_cast<std::uint32_t>(number / targets_.size())};
}

std::optional<EchoSocket>& Pinger::socket_for(std::uint32_t index) noexcept {
  return targets_[index].is_v4() ? v4_ : v6_;
}

}  // namespace superd
