#pragma once
/// What the bare loops share: an address, a socket, the word `ready`.
///
/// A floor is the least a server can do in system calls for some work: no library, no limits, no logging. superd is
/// measured against it. A floor speaks IPv4 on loopback only, gives up with a message and exit code 111 on any error it
/// does not expect, and is ended by the default action of SIGTERM.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace floors {

/// As long as superd may ask for, so that a burst of connections queues alike in both.
constexpr int backlog = 4096;

constexpr std::size_t shared_buffer = 64 * 1024;

/// Threads or processes of the floors that have them beforehand: what superd is given there.
constexpr unsigned workers = 8;

/// Of a thread: as much as superd's.
constexpr std::size_t thread_stack = 256 * 1024;

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(111);
}

/// Returns `result`, unless it is negative: then the program ends.
inline int check(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

/// The number after `--port`; without one the program ends with exit code 100.
inline in_port_t port_of(int argc, char** argv) {
  const long port = argc == 3 && std::strcmp(argv[1], "--port") == 0 ? std::strtol(argv[2], nullptr, 10) : 0;
  if (port > 0 && port < 65536) return static_cast<in_port_t>(port);
  std::fprintf(stderr, "usage: %s --port N\n", argv[0]);
  std::exit(100);
}

inline void bind_loopback(int socket, in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
}

/// A listening socket. `flags` may hold SOCK_NONBLOCK. What it accepts inherits TCP_NODELAY: an echo in several chunks
/// would wait for delayed acknowledgements otherwise.
inline int listen_tcp(in_port_t port, int flags) {
  const int door = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket");
  const int on = 1;
  check(::setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt SO_REUSEADDR");
  check(::setsockopt(door, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt TCP_NODELAY");
  bind_loopback(door, port);
  check(::listen(door, backlog), "listen");
  return door;
}

/// The next client of a blocking socket.
inline int accept(int door) {
  for (;;) {
    const int client = ::accept4(door, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) return client;
    if (errno != ECONNABORTED) fail("accept4");
  }
}

/// Answers one client after the other with `line`, for ever.
[[noreturn]] inline void accept_and_send(int door, const std::string& line) {
  for (;;) {
    const int client = accept(door);
    ::send(client, line.data(), line.size(), MSG_NOSIGNAL);
    ::close(client);
  }
}

/// A blocking datagram socket with the kernel's default buffers.
inline int bind_udp(in_port_t port) {
  const int door = check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  bind_loopback(door, port);
  return door;
}

/// Registers `fd` for level-triggered reading.
inline void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  check(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

/// Tells the one who started us that clients may come.
inline void ready() {
  std::puts("ready");
  std::fflush(stdout);
}

/// The line of RFC 867 as it was when the program began: a floor pays for system calls, not for formatting.
inline std::string daytime_line() {
  const std::time_t now = std::time(nullptr);
  std::string line = std::ctime(&now);
  line.pop_back();
  return line + "\r\n";
}

/// The time of RFC 868 in network order.
inline std::uint32_t time_answer() {
  constexpr std::uint32_t seconds_from_1900_to_1970 = 2'208'988'800U;
  return htonl(static_cast<std::uint32_t>(std::time(nullptr)) + seconds_from_1900_to_1970);
}

}  // namespace floors
