#include "superd/lab/trace.h"

#include <algorithm>

#include "superd/lab/waits.h"
#include "superd/net/icmp.h"

namespace superd {
namespace {

bool is_time_exceeded(const TraceTarget& target, const TraceArrival& arrival) noexcept {
  return arrival.type == (target.is_v6() ? icmp_v6::time_exceeded : icmp_v4::time_exceeded);
}

}  // namespace

int TraceHop::sent() const noexcept {
  return static_cast<int>(std::ranges::count_if(probes, [](const TraceProbe& probe) { return probe.tries > 0; }));
}

int TraceHop::answered() const noexcept {
  return static_cast<int>(
      std::ranges::count_if(probes, [](const TraceProbe& probe) { return probe.arrival.has_value(); }));
}

Tracer::Tracer(const TraceTarget& target, const TraceManner& manner, std::unique_ptr<TraceSocket> socket)
    : target_(target),
      manner_(manner),
      socket_(std::move(socket)),
      hops_(static_cast<std::size_t>(manner.most_hops),
            {std::vector<TraceProbe>(static_cast<std::size_t>(manner.probes))}),
      last_(hops_.size()) {}

std::size_t Tracer::length() const noexcept {
  std::size_t length = last_;
  while (length > 0 && hops_[length - 1].sent() == 0) --length;
  return length;
}

void Tracer::run(const std::function<void(const Tracer&, Time now)>& show) {
  began_ = Clock::now();
  for (auto now = began_; !was_interrupted() && !is_over(now); now = Clock::now()) {
    send_due(now);
    std::vector<pollfd> waiting;
    socket_->add_descriptors(waiting);
    wait_for(waiting, next_event(Clock::now()));
    socket_->receive([&](const TraceArrival& arrival) { take(arrival); });
    show(*this, Clock::now());
  }
}

bool Tracer::is_given_up(const TraceProbe& probe, Time now) const noexcept {
  return probe.tries == 2 && now - probe.sent[1] >= manner_.timeout;
}

bool Tracer::is_over(Time now) const noexcept {
  for (std::size_t hop = 0; hop < last_; ++hop)
    for (const auto& probe : hops_[hop].probes)
      if (!probe.arrival && !is_given_up(probe, now)) return false;
  return true;
}

void Tracer::send_due(Time now) {
  for (std::size_t hop = 0; hop < last_; ++hop) {
    if (now < began_ + gap * static_cast<Clock::rep>(hop)) return;
    auto& probes = hops_[hop].probes;
    for (std::size_t which = 0; which < probes.size(); ++which) {
      const auto& probe = probes[which];
      if (probe.arrival || probe.tries == 2) continue;
      if (probe.tries == 0 || now - probe.sent[0] >= manner_.timeout) send(hop, which);
      if (hop >= last_) return;  // this host itself has said that there is no way
    }
  }
}

void Tracer::send(std::size_t hop, std::size_t which) {
  auto& probe = hops_[hop].probes[which];
  if (probe.tries == 1) socket_->forget(number_of(hop, which, 0));
  const auto number = number_of(hop, which, probe.tries);
  const auto now = Clock::now();
  probe.sent[probe.tries++] = now;
  if (const int code = socket_->send(number, static_cast<int>(hop) + 1))
    take({.number = number, .local_error = code, .received = now});
}

void Tracer::take(const TraceArrival& arrival) {
  const auto probes = static_cast<std::size_t>(manner_.probes);
  const std::size_t attempt = arrival.number % 2, index = arrival.number / 2U;
  const auto hop = index / probes;
  if (hop >= hops_.size()) return;
  auto& probe = hops_[hop].probes[index % probes];
  if (probe.arrival || static_cast<int>(attempt) >= probe.tries) return;
  probe.arrival = arrival;
  probe.time = std::max(arrival.received - probe.sent[attempt], Clock::duration{});
  if (!is_final(arrival)) return;
  last_ = std::min(last_, hop + 1);
  has_reached_ = has_reached_ || arrival.is_answer || arrival.from == target_.address;
}

/// Nobody is behind who answers like that.
bool Tracer::is_final(const TraceArrival& arrival) const noexcept {
  return arrival.is_answer || arrival.local_error != 0 || !is_time_exceeded(target_, arrival);
}

Time Tracer::next_event(Time now) const noexcept {
  auto next = now + Millis(100);
  for (std::size_t hop = 0; hop < last_; ++hop) {
    for (const auto& probe : hops_[hop].probes) {
      if (probe.tries == 0) return std::min(next, began_ + gap * static_cast<Clock::rep>(hop));
      if (!probe.arrival) next = std::min(next, probe.sent[probe.tries - 1] + manner_.timeout);
    }
  }
  return next;
}

std::uint16_t Tracer::number_of(std::size_t hop, std::size_t which, int attempt) const noexcept {
  const auto index = hop * static_cast<std::size_t>(manner_.probes) + which;
  return static_cast<std::uint16_t>(2 * index + static_cast<std::size_t>(attempt));
}

}  // namespace superd
