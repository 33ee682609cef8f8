#pragma once
/// Sockets of the client's side, on loopback.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "bench/load/options.h"

namespace bench {

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "load: %s: %s\n", what, std::strerror(errno));
  std::exit(111);
}

/// Returns `result`, unless it is negative: then the program ends.
inline int check(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

/// Owns a descriptor; empty after being moved from.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File() { close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

inline sockaddr_in loopback(std::uint32_t host, in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  return address;
}

/// The n-th of the addresses that connections come from: 127.0.0.2 and on, without 127.0.0.1, which servers bind.
inline std::uint32_t source(std::uint64_t n, const Options& options) {
  return INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(n % options.sources);
}

/// A TCP socket bound to an address; empty, with errno set, when that failed. The kernel picks the port at connect,
/// when it knows both ends, so that the ports of all sources can be used.
inline File tcp_socket(std::uint32_t host, int flags) {
  File socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in here = loopback(host, 0);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) < 0) return {};
  return socket;
}

/// Begins to connect to the server; false, with errno set, when that failed at once.
inline bool connect_to(const File& socket, in_port_t port) {
  const sockaddr_in there = loopback(INADDR_LOOPBACK, port);
  const int result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there);
  return result == 0 || errno == EINPROGRESS;
}

/// A connected TCP socket; the program ends when it isn't connected within ten seconds.
inline File connect_patiently(std::uint32_t host, in_port_t port) {
  File socket = tcp_socket(host, 0);
  // What bounds a blocking connect, see socket(7); it ends with EINPROGRESS then.
  const timeval patience{10, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const sockaddr_in there = loopback(INADDR_LOOPBACK, port);
  check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there), "connect");
  return socket;
}

/// A datagram socket that speaks with the server only.
inline File connect_udp(in_port_t port) {
  File socket(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  const sockaddr_in there = loopback(INADDR_LOOPBACK, port);
  check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there), "connect");
  return socket;
}

/// What the slow service has no work with.
constexpr std::string_view fast_line = "compute 0ms\n";

/// Whether this is all of an answer of the slow service that did what it was asked for. It is far shorter than a
/// segment, and comes in one piece.
inline bool is_done(std::string_view answer) { return answer.starts_with("done") && answer.ends_with('\n'); }

/// As many descriptors as the hard limit grants.
inline void raise_descriptors() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

}  // namespace bench
