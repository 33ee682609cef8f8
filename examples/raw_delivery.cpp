// Slides 106 to 110: which packets a kernel gives to raw sockets. Sends one of each kind over the loopback, looks, and prints a
// table: what the chapter says, and what this kernel does.
//
//   sudo raw_delivery               or without root:  unshare -rn sh -c 'ip link set lo up; raw_delivery'

#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

#include "superd/net/internet_checksum.h"
#include "superd/net/passive.h"

namespace {

using superd::Endpoint, superd::Socket;

// Of these nobody else is: what arrives is ours.
const Endpoint here = Endpoint::parse("127.99.0.1", 0).value();

Socket opened(int type, int protocol = 0) { return Socket(::socket(AF_INET, type | SOCK_CLOEXEC, protocol)); }

void send_raw(int protocol, std::span<const std::byte> bytes) {
  const auto socket = opened(SOCK_RAW, protocol);
  (void)::sendto(socket.fd(), bytes.data(), bytes.size(), 0, here.address(), here.size());
}

void send_echo_request(bool with_right_checksum) {
  icmphdr message{};
  message.type = ICMP_ECHO;
  const auto sum = superd::internet_checksum(std::as_bytes(std::span(&message, 1)));
  message.checksum = htons(with_right_checksum ? sum : static_cast<std::uint16_t>(sum ^ 1));
  send_raw(IPPROTO_ICMP, std::as_bytes(std::span(&message, 1)));
}

void send_udp() {
  auto there = here;
  there.set_port(9);
  const auto socket = opened(SOCK_DGRAM);
  (void)::sendto(socket.fd(), "?", 1, 0, there.address(), there.size());
}

void send_tcp() {
  auto there = here;
  there.set_port(9);
  const auto socket = opened(SOCK_STREAM);
  (void)::connect(socket.fd(), there.address(), there.size());
}

void send_plain(int protocol) { send_raw(protocol, std::as_bytes(std::span("hello", 5))); }

/// Whether a raw socket of the protocol is given something when it is sent; bound, so that nothing else can come.
std::string seen(const std::string& protocol, const std::function<void()>& send) {
  const auto address = superd::ListenAddress::parse("raw/127.99.0.1:" + protocol);
  const auto socket = superd::passive(address.value(), {});
  if (!socket) return socket.error().what;
  send();
  pollfd wanted{.fd = socket->fd(), .events = POLLIN, .revents = 0};
  // On the loopback it is there before the send returns; a moment more, for "no".
  return ::poll(&wanted, 1, 50) == 1 ? "delivered" : "not delivered";
}

std::string socket_of_all() {
  if (opened(SOCK_RAW, 0).is_open()) return "a socket";
  return std::string("no such socket: ") + std::strerror(errno);
}

void row(const char* what, const char* chapter, const std::string& linux_does) {
  std::printf("%-38s %-44s %s\n", what, chapter, linux_does.c_str());
}

}  // namespace

int main() {
  if (!opened(SOCK_RAW, IPPROTO_ICMP).is_open()) {
    std::fprintf(stderr, "raw_delivery: %s: raw sockets need CAP_NET_RAW\n", std::strerror(errno));
    return 111;
  }
  row("packet", "the chapter", "this kernel");
  row("any, by protocol 0", "receives any IP datagram (106)", socket_of_all());
  row("UDP", "never sent to a raw socket (110)", seen("17", send_udp));
  row("TCP", "never sent to a raw socket (110)", seen("6", send_tcp));
  row("ICMP echo request", "most ICMP is (110)", seen("icmp", [] { send_echo_request(true); }));
  row("the same, its checksum wrong", "does not say", seen("icmp", [] { send_echo_request(false); }));
  row("IGMP", "all that the kernel processes is (110)", seen("igmp", [] { send_plain(IPPROTO_IGMP); }));
  row("protocol 253, which nobody knows", "what the kernel does not recognise is (110)",
      seen("253", [] { send_plain(253); }));
  return 0;
}
