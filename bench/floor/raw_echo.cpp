/// Answers the echo requests that come to 127.9.0.1, 64 at a time by recvmmsg and sendmmsg, over a raw socket that receives
/// those alone. Nothing is verified and nobody is bounded.

#include <linux/icmp.h>

#include "floor.h"

namespace {

constexpr unsigned batch = 64;
constexpr std::size_t room = 2048, ip_header = 20;
constexpr int buffer = 8 << 20;

char packets[batch][room];
sockaddr_in senders[batch];
iovec in_parts[batch], out_parts[batch];
mmsghdr in[batch], out[batch];

void lay_out() {
  for (unsigned i = 0; i < batch; ++i) {
    in_parts[i] = {packets[i], room};
    in[i].msg_hdr.msg_iov = &in_parts[i];
    out[i].msg_hdr.msg_iov = &out_parts[i];
    in[i].msg_hdr.msg_iovlen = out[i].msg_hdr.msg_iovlen = 1;
    in[i].msg_hdr.msg_name = out[i].msg_hdr.msg_name = &senders[i];
    out[i].msg_hdr.msg_namelen = sizeof senders[i];
  }
}

int open_filtered() {
  const int socket = floors::check(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), "socket");
  const icmp_filter filter{.data = ~(1U << ICMP_ECHO)};
  floors::check(::setsockopt(socket, SOL_RAW, ICMP_FILTER, &filter, sizeof filter), "ICMP_FILTER");
  floors::check(::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), "SO_RCVBUFFORCE");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(0x7f090001);
  floors::check(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return socket;
}

}  // namespace

int main() {
  const int socket = open_filtered();
  lay_out();
  floors::ready();
  for (;;) {
    for (auto& header : in) header.msg_hdr.msg_namelen = sizeof *senders;
    const int got = floors::check(::recvmmsg(socket, in, batch, MSG_WAITFORONE, nullptr), "recvmmsg");
    for (int i = 0; i < got; ++i) {
      char* message = packets[i] + ip_header;
      message[0] = ICMP_ECHOREPLY;
      std::uint16_t sum;
      std::memcpy(&sum, message + 2, sizeof sum);
      std::uint32_t changed = sum + htons(ICMP_ECHO << 8);
      changed = (changed & 0xffff) + (changed >> 16);
      sum = static_cast<std::uint16_t>(changed);
      std::memcpy(message + 2, &sum, sizeof sum);
      out_parts[i] = {message, in[i].msg_len - ip_header};
    }
    for (int done = 0; done < got;)
      done += floors::check(::sendmmsg(socket, out + done, static_cast<unsigned>(got - done), 0), "sendmmsg");
  }
}
