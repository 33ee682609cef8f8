/// UDP time in batches, and the answers of neighbours in a batch that came from one client leave as the segments of a
/// single send (udp(7), UDP_SEGMENT): one way through the stack for all of them, and separate datagrams at the client.

#include <netinet/udp.h>

#include "floor.h"

namespace {

constexpr unsigned batch = 64;
constexpr std::size_t request_size = 2048;

char requests[batch][request_size];
std::uint32_t answers[batch];
sockaddr_in clients[batch];
iovec parts[batch];
mmsghdr messages[batch];

void lay_out() {
  for (unsigned i = 0; i < batch; ++i) {
    parts[i] = {requests[i], request_size};
    messages[i].msg_hdr.msg_name = &clients[i];
    messages[i].msg_hdr.msg_namelen = sizeof clients[i];
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
}

bool same(const sockaddr_in& a, const sockaddr_in& b) {
  return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

void send(int door, sockaddr_in& client, unsigned count) {
  iovec part{answers, count * sizeof answers[0]};
  msghdr message{};
  message.msg_name = &client;
  message.msg_namelen = sizeof client;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  constexpr std::uint16_t segment = sizeof answers[0];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof segment)] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof segment);
  std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
  ::sendmsg(door, &message, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const int door = floors::bind_udp(floors::port_of(argc, argv));
  lay_out();
  floors::ready();
  for (;;) {
    const int received = ::recvmmsg(door, messages, batch, MSG_WAITFORONE, nullptr);
    const auto got = static_cast<unsigned>(floors::check(received, "recvmmsg"));
    const std::uint32_t now = floors::time_answer();
    for (unsigned i = 0; i < got; ++i) answers[i] = now;
    for (unsigned first = 0, next = 0; first < got; first = next) {
      while (next < got && same(clients[first], clients[next])) ++next;
      send(door, clients[first], next - first);
    }
  }
}
