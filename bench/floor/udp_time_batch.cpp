/// UDP time in batches: recvmmsg takes what is there, up to 64, sendmmsg answers all of it.

#include "floor.h"

namespace {

constexpr unsigned batch = 64;
constexpr std::size_t request_size = 2048;

char requests[batch][request_size];
std::uint32_t answers[batch];
sockaddr_in clients[batch];
iovec in_parts[batch];
iovec out_parts[batch];
mmsghdr in[batch];
mmsghdr out[batch];

void lay_out() {
  for (unsigned i = 0; i < batch; ++i) {
    in_parts[i] = {requests[i], request_size};
    out_parts[i] = {&answers[i], sizeof answers[i]};
    in[i].msg_hdr.msg_name = out[i].msg_hdr.msg_name = &clients[i];
    in[i].msg_hdr.msg_namelen = out[i].msg_hdr.msg_namelen = sizeof clients[i];
    in[i].msg_hdr.msg_iov = &in_parts[i];
    out[i].msg_hdr.msg_iov = &out_parts[i];
    in[i].msg_hdr.msg_iovlen = out[i].msg_hdr.msg_iovlen = 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int door = floors::bind_udp(floors::port_of(argc, argv));
  lay_out();
  floors::ready();
  for (;;) {
    const int got = floors::check(::recvmmsg(door, in, batch, MSG_WAITFORONE, nullptr), "recvmmsg");
    const std::uint32_t now = floors::time_answer();
    for (int i = 0; i < got; ++i) answers[i] = now;
    ::sendmmsg(door, out, static_cast<unsigned>(got), 0);
  }
}
