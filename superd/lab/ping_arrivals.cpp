#include <algorithm>

#include "superd/lab/ping.h"

namespace superd {

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
  using enum ProbeWindow::Answer;
  const auto answer = window_.note_answer(stamp->number);
  if (answer == again) ++tally_.duplicates;
  // Of one that is no longer watched the tally knows, for a few rounds.
  const bool is_new = answer != again && tally_.note_reply(probe.index, probe.round, time, answer == first);
  if (is_new && answer == late) ++tally_.late;
  if (is_new && answer == first) {
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
  note_failure(std::uint64_t{round} * targets_.size() + *index, arrival);
}

void Pinger::note_failure(std::uint64_t number, const EchoArrival& failure) {
  if (number >= window_.next() || window_.note_answer(number) == ProbeWindow::Answer::again) return;
  const auto probe = probe_of(number);
  tally_.note_failure(probe.index, failure);
  listener_->on_failure(probe, failure);
}

}  // namespace superd
