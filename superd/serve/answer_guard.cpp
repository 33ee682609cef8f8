#include "superd/serve/answer_guard.h"

#include <ifaddrs.h>

#include <algorithm>

namespace superd {

namespace {

// Services that answer whatever they are sent, or answer more: echo, discard, systat, daytime, qotd, chargen, time,
// DNS, TFTP, NTP, and 0, which nobody can be at. An answer to them begins a loop (CERT CA-1996-01).
constexpr bool answers_back(std::uint16_t port) noexcept {
  constexpr std::uint16_t ports[] = {0, 7, 9, 11, 13, 17, 19, 37, 53, 69, 123};
  return std::ranges::find(ports, port) != std::end(ports);
}

bool is_own_address(const Endpoint& address) noexcept {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return true;  // cannot tell: rather no answer than a loop
  bool found = false;
  for (const ifaddrs* entry = first; entry && !found; entry = entry->ifa_next) {
    if (!entry->ifa_addr) continue;
    const bool v4 = entry->ifa_addr->sa_family == AF_INET;
    if (!v4 && entry->ifa_addr->sa_family != AF_INET6) continue;
    auto own = Endpoint::from(entry->ifa_addr, v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    own.set_port(address.port());
    found = own == address;
  }
  freeifaddrs(first);
  return found;
}

// A second's worth at once.
Rate rate_of(const Limits& limits) noexcept {
  const auto answers = static_cast<std::uint32_t>(limits.answer_rate);
  return {answers, Seconds(1), answers};
}

}  // namespace

std::shared_ptr<OwnPorts> OwnPorts::shared() {
  const auto memory = std::make_shared<SharedMemory>("superd own ports", sizeof(OwnPorts));
  return {memory, &memory->as<OwnPorts>()};
}

void OwnPorts::change(std::span<const std::uint16_t> ports) noexcept {
  std::array<std::uint64_t, std::tuple_size_v<decltype(words_)>> wanted{};
  for (const auto port : ports) wanted[port / 64] |= bit(port);
  for (std::size_t i = 0; i < wanted.size(); ++i) words_[i].store(wanted[i], std::memory_order_relaxed);
}

AnswerGuard::AnswerGuard(const Limits& limits, std::shared_ptr<const OwnPorts> own_ports)
    : own_("superd answers", sizeof(RateTable)),
      own_limits_(std::make_unique<const Limits>(limits)),
      rates_(own_.as<RateTable>()),
      limits_(own_limits_.get()),
      own_ports_(std::move(own_ports)) {}

AnswerGuard::AnswerGuard(RateTable& rates, const Limits& limits, std::shared_ptr<const OwnPorts> own_ports)
    : rates_(rates), limits_(&limits), own_ports_(std::move(own_ports)) {}

AnswerGuard::Verdict AnswerGuard::judge(const Endpoint& from, const Endpoint& to, Time now, bool is_known) noexcept {
  if (is_bad_source(from, to)) return Verdict::bad_source;
  return judge_packet(from, now, is_known);
}

AnswerGuard::Verdict AnswerGuard::judge_packet(const Endpoint& from, Time now, bool is_known) noexcept {
  if (is_known || trusts(from)) return Verdict::answer;
  return rates_.take(ClientKey::prefix_of(from), now, rate_of(limits())) ? Verdict::answer : Verdict::over_rate;
}

bool AnswerGuard::is_bad_source(const Endpoint& from, const Endpoint& to) const noexcept {
  const auto port = from.port();
  if (answers_back(port)) return true;
  const auto source = from.unmapped();
  if (source.is_multicast() || source.is_wildcard() || source.is_limited_broadcast()) return true;
  if (!own_ports_->has(port)) return false;
  // Rare, so it may cost a look at the interfaces: one of our own ports, but at our own address?
  auto sent_to = to.unmapped();
  sent_to.set_port(port);
  return source.is_loopback() || source == sent_to || is_own_address(source);
}

bool AnswerGuard::trusts(const Endpoint& from) const noexcept { return limits().trusts(from); }

std::size_t AnswerGuard::room(const Endpoint& from, std::size_t request) const noexcept {
  // 64 bytes more, so that a line of text can be had by asking with an empty datagram (RFC 867).
  constexpr std::size_t allowance = 64;
  if (trusts(from)) return longest;
  return std::min<std::size_t>(longest, request * limits().amplification + allowance);
}

}  // namespace superd
