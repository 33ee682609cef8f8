#pragma once
/// tcp-open: connect, read to the end of the stream, close; a new one at each tick of --per-second, whatever has become
/// of those before. Time counts from the tick, so that who is late is late for everybody who came meanwhile.

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "bench/load/measurement.h"
#include "bench/load/sockets.h"

namespace bench {

class TcpOpen {
 public:
  TcpOpen(const Options& options, Measurement& measurement)
      : options_(options), measurement_(measurement), interval_(Nanos(1'000'000'000) / options.per_second) {}

  void run() {
    auto next = Clock::now();
    epoll_event events[256];
    while (measurement_.goes_on(Clock::now())) {
      for (; next <= Clock::now(); next += interval_) begin(next);
      const timespec left{0, std::max<Nanos>(next - Clock::now(), Nanos{0}).count()};
      const int count = check(::epoll_pwait2(epoll_.get(), events, 256, &left, nullptr), "epoll_pwait2");
      for (int i = 0; i < count; ++i) go_on(events[i].data.fd, events[i].events);
    }
  }

 private:
  struct Visit {
    File socket;
    Clock::time_point began;
    std::size_t received = 0;
  };

  void begin(Clock::time_point due) {
    auto visit = std::make_unique<Visit>();
    visit->began = due;
    visit->socket = tcp_socket(source(begun_++, options_), SOCK_NONBLOCK);
    if (!visit->socket.open() || !connect_to(visit->socket, options_.port)) return measurement_.failed();
    const int fd = visit->socket.get();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.fd = fd;
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    visits_[fd] = std::move(visit);
  }

  void go_on(int fd, std::uint32_t events) {
    Visit& visit = *visits_[fd];
    const ssize_t got = ::recv(fd, buffer_, sizeof buffer_, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0) visit.received += static_cast<std::size_t>(got);
    if (got > 0 && !(events & EPOLLRDHUP)) return;
    if (got < 0 || visit.received < options_.size)
      measurement_.failed();
    else
      measurement_.done(visit.began, Clock::now());
    visits_.erase(fd);
  }

  const Options& options_;
  Measurement& measurement_;
  const Nanos interval_;
  std::unordered_map<int, std::unique_ptr<Visit>> visits_;
  File epoll_{check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::uint64_t begun_ = 0;
  char buffer_[4096];
};

}  // namespace bench
