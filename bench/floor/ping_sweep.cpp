/// Echo requests to each host of 127.8.0.0/16 and their replies: 64 at a time by sendmmsg and recvmmsg, over a raw socket
/// that receives its own replies alone. No state, no times, nothing is verified.

#include <linux/filter.h>
#include <netinet/ip_icmp.h>

#include "floor.h"

namespace {

constexpr unsigned batch = 64;
constexpr std::uint32_t first = 0x7f080001, hosts = 65534;
constexpr std::size_t request_size = 64, reply_size = 128;
constexpr std::uint16_t id = 0x4242;

char requests[batch][request_size];
char replies[batch][reply_size];
sockaddr_in targets[batch];
iovec in_parts[batch];
iovec out_parts[batch];
mmsghdr in[batch];
mmsghdr out[batch];

std::uint16_t checksum_of(const char* bytes, std::size_t size) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < size; at += 2) {
    std::uint16_t word;
    std::memcpy(&word, bytes + at, sizeof word);
    sum += word;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void lay_out() {
  for (unsigned i = 0; i < batch; ++i) {
    icmphdr header{};
    header.type = ICMP_ECHO;
    header.un.echo.id = htons(id);
    std::memcpy(requests[i], &header, sizeof header);
    header.checksum = checksum_of(requests[i], request_size);
    std::memcpy(requests[i], &header, sizeof header);
    targets[i].sin_family = AF_INET;
    in_parts[i] = {replies[i], reply_size};
    out_parts[i] = {requests[i], request_size};
    in[i].msg_hdr.msg_iov = &in_parts[i];
    out[i].msg_hdr.msg_iov = &out_parts[i];
    in[i].msg_hdr.msg_iovlen = out[i].msg_hdr.msg_iovlen = 1;
    out[i].msg_hdr.msg_name = &targets[i];
    out[i].msg_hdr.msg_namelen = sizeof targets[i];
  }
}

int open_filtered() {
  const int socket = floors::check(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), "socket");
  sock_filter program[] = {
      BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_ECHOREPLY, 0, 3),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff'ffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog described{sizeof program / sizeof *program, program};
  floors::check(::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &described, sizeof described), "SO_ATTACH_FILTER");
  return socket;
}

}  // namespace

int main() {
  const int socket = open_filtered();
  lay_out();
  std::uint32_t received = 0;
  for (std::uint32_t asked = 0; asked < hosts;) {
    unsigned count = 0;
    for (; count < batch && asked < hosts; ++count, ++asked) targets[count].sin_addr.s_addr = htonl(first + asked);
    const int sent = floors::check(::sendmmsg(socket, out, count, 0), "sendmmsg");
    for (int left = sent; left > 0;) {
      const int got = floors::check(::recvmmsg(socket, in, batch, MSG_WAITFORONE, nullptr), "recvmmsg");
      left -= got;
      received += static_cast<std::uint32_t>(got);
    }
  }
  std::printf("%u received\n", received);
}
