/// Short connections, one after the other: blocking accept4, send, close.

#include "floor.h"

int main(int argc, char** argv) {
  const int door = floors::listen_tcp(floors::port_of(argc, argv), 0);
  const std::string line = floors::daytime_line();
  floors::ready();
  for (;;) {
    const int client = ::accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      if (errno == ECONNABORTED) continue;
      floors::fail("accept4");
    }
    ::send(client, line.data(), line.size(), MSG_NOSIGNAL);
    ::close(client);
  }
}
