/// UDP echo: recvfrom, sendto, default buffers. What it loses in a burst is what a plain loop loses.

#include "floor.h"

namespace {
char buffer[floors::shared_buffer];
}

int main(int argc, char** argv) {
  const int door = floors::bind_udp(floors::port_of(argc, argv));
  floors::ready();
  for (;;) {
    sockaddr_in from;
    socklen_t length = sizeof from;
    auto* const client = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = ::recvfrom(door, buffer, sizeof buffer, 0, client, &length);
    if (got < 0) floors::fail("recvfrom");
    ::sendto(door, buffer, static_cast<std::size_t>(got), 0, client, length);
  }
}
