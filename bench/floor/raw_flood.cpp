/// The client of raw_echo: echo requests of 64 bytes to 127.9.0.1 for some seconds, at most 256 unanswered, by batches of 64
/// over a raw socket that receives the answers alone. Prints how many answers came, and in how many nanoseconds.
///
///     raw_flood SECONDS

#include <linux/filter.h>
#include <linux/icmp.h>
#include <poll.h>

#include "floor.h"

namespace {

constexpr unsigned batch = 64;
constexpr int window = 256, patience_ms = 200, buffer = 8 << 20;
constexpr std::size_t size = 64;
constexpr std::uint16_t id = 0x4242;

char requests[batch][size], answers[batch][2 * size];
iovec in_parts[batch], out_parts[batch];
mmsghdr in[batch], out[batch];
sockaddr_in target;

std::uint16_t checksum_of(const char* bytes) {
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
  target.sin_family = AF_INET;
  target.sin_addr.s_addr = htonl(0x7f090001);
  for (unsigned i = 0; i < batch; ++i) {
    icmphdr header{};
    header.type = ICMP_ECHO;
    header.un.echo.id = htons(id);
    std::memcpy(requests[i], &header, sizeof header);
    header.checksum = checksum_of(requests[i]);
    std::memcpy(requests[i], &header, sizeof header);
    in_parts[i] = {answers[i], sizeof answers[i]};
    out_parts[i] = {requests[i], size};
    in[i].msg_hdr.msg_iov = &in_parts[i];
    out[i].msg_hdr.msg_iov = &out_parts[i];
    in[i].msg_hdr.msg_iovlen = out[i].msg_hdr.msg_iovlen = 1;
    out[i].msg_hdr.msg_name = &target;
    out[i].msg_hdr.msg_namelen = sizeof target;
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
  floors::check(::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), "SO_RCVBUFFORCE");
  return socket;
}

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc == 2 ? std::atof(argv[1]) : 0;
  if (seconds <= 0) {
    std::fprintf(stderr, "usage: %s SECONDS\n", argv[0]);
    return 100;
  }
  const int socket = open_filtered();
  lay_out();
  std::uint64_t received = 0, lost = 0;
  int unanswered = 0;
  const auto begin = now(), end = begin + static_cast<std::int64_t>(seconds * 1e9);
  while (now() < end) {
    while (unanswered + static_cast<int>(batch) <= window)
      unanswered += floors::check(::sendmmsg(socket, out, batch, 0), "sendmmsg");
    pollfd wanted{.fd = socket, .events = POLLIN, .revents = 0};
    if (floors::check(::poll(&wanted, 1, patience_ms), "poll") == 0) {
      lost += static_cast<std::uint64_t>(unanswered);
      unanswered = 0;
      continue;
    }
    const int got = floors::check(::recvmmsg(socket, in, batch, MSG_DONTWAIT, nullptr), "recvmmsg");
    unanswered -= got;
    received += static_cast<std::uint64_t>(got);
  }
  std::printf("%llu answers %llu lost %lld ns\n", static_cast<unsigned long long>(received),
              static_cast<unsigned long long>(lost), static_cast<long long>(now() - begin));
}
