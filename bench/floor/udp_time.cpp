/// UDP time, the loop of the textbook: recvfrom, sendto.

#include "floor.h"

int main(int argc, char** argv) {
  const int door = floors::bind_udp(floors::port_of(argc, argv));
  floors::ready();
  char request[2048];
  for (;;) {
    sockaddr_in from;
    socklen_t length = sizeof from;
    auto* const client = reinterpret_cast<sockaddr*>(&from);
    if (::recvfrom(door, request, sizeof request, 0, client, &length) < 0) floors::fail("recvfrom");
    const std::uint32_t now = floors::time_answer();
    ::sendto(door, &now, sizeof now, 0, client, length);
  }
}
