/// TCP echo on level-triggered epoll with one shared buffer: recv and send per message, epoll_wait shared by those
/// that are ready together. Sockets stay blocking: a client that does not read stops this loop, which a floor may.

#include "floor.h"

namespace {

char buffer[floors::shared_buffer];

void welcome(int epoll, int door) {
  for (;;) {
    const int client = ::accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) {
      floors::watch(epoll, client);
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno != ECONNABORTED) floors::fail("accept4");
  }
}

void answer(int client) {
  const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
  if (got <= 0 || ::send(client, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) ::close(client);
}

}  // namespace

int main(int argc, char** argv) {
  const int door = floors::listen_tcp(floors::port_of(argc, argv), SOCK_NONBLOCK);
  const int epoll = floors::check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  floors::watch(epoll, door);
  floors::ready();
  epoll_event events[256];
  for (;;) {
    const int count = floors::check(::epoll_wait(epoll, events, 256, -1), "epoll_wait");
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      fd == door ? welcome(epoll, door) : answer(fd);
    }
  }
}
