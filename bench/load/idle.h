#pragma once
/// idle: connections that say nothing, held open until a line on stdin allows to close them.

#include <poll.h>

#include <vector>

#include "bench/load/sockets.h"

namespace bench {

class Idle {
 public:
  explicit Idle(const Options& options) : options_(options) {}

  void run() {
    raise_descriptors();
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < options_.count; ++i)
      sockets_.push_back(connect_patiently(source(i, options_), options_.port));
    const bool answered = options_.size == 0 || probe(sockets_.back());
    const Seconds took = Clock::now() - start;
    std::puts("open");
    std::fflush(stdout);
    wait_for_line();
    std::printf("{\"mode\": \"idle\", \"opened\": %zu, \"still_open\": %zu, \"seconds\": %.6f, \"errors\": %d}\n",
                sockets_.size(), still_open(), took.count(), answered ? 0 : 1);
  }

 private:
  /// Connections are accepted in their order: when the last one has its echo, none waits in the backlog any more.
  bool probe(const File& socket) const {
    const std::vector<char> message(options_.size, '.');
    std::vector<char> echo(options_.size);
    const timeval patience{10, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::send(socket.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) return false;
    return ::recv(socket.get(), echo.data(), echo.size(), MSG_WAITALL) == static_cast<ssize_t>(echo.size());
  }

  void wait_for_line() const {
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(options_.seconds.count() * 1000));
  }

  std::size_t still_open() const {
    std::size_t open = 0;
    for (const File& socket : sockets_) {
      char byte;
      if (::recv(socket.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) ++open;
    }
    return open;
  }

  const Options& options_;
  std::vector<File> sockets_;
};

}  // namespace bench
