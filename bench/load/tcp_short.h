#pragma once
/// tcp-short: connect, read to the end of the stream, close; as soon as one is over the next begins.

#include <vector>

#include "bench/load/measurement.h"
#include "bench/load/sockets.h"

namespace bench {

class TcpShort {
 public:
  TcpShort(const Options& options, Measurement& measurement)
      : options_(options), measurement_(measurement), visits_(options.parallel) {}

  void run() {
    for (Visit& visit : visits_) begin(visit);
    epoll_event events[256];
    while (measurement_.goes_on(Clock::now())) {
      const int count = check(::epoll_wait(epoll_.get(), events, 256, 100), "epoll_wait");
      for (int i = 0; i < count; ++i) go_on(visits_[events[i].data.u64], events[i].events);
      begin_the_refused();
    }
  }

 private:
  struct Visit {
    File socket;
    Clock::time_point began;
    std::size_t received = 0;
  };

  void begin(Visit& visit) {
    visit.began = Clock::now();
    visit.received = 0;
    visit.socket = tcp_socket(source(begun_++, options_), SOCK_NONBLOCK);
    if (!visit.socket.open() || !connect_to(visit.socket, options_.port)) return failed(visit);
    // End of stream alone would do for answers that fit the receive buffer; EPOLLIN makes longer ones work too.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.u64 = static_cast<std::uint64_t>(&visit - visits_.data());
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, visit.socket.get(), &event), "epoll_ctl");
  }

  /// One receive is enough when the end of the stream was announced together with all that came before it.
  void go_on(Visit& visit, std::uint32_t events) {
    ssize_t got = 0;
    do {
      got = ::recv(visit.socket.get(), buffer_, sizeof buffer_, MSG_DONTWAIT);
      if (got > 0) visit.received += static_cast<std::size_t>(got);
    } while (got == static_cast<ssize_t>(sizeof buffer_));
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0 && !(events & EPOLLRDHUP)) return;
    if (got < 0 || visit.received < options_.size) return failed(visit);
    failures_in_a_row_ = 0;
    measurement_.done(visit.began, Clock::now());
    begin(visit);
  }

  /// The visit begins again only after the next look at the clock, so that a dead server cannot hold us here.
  void failed(Visit& visit) {
    measurement_.failed();
    visit.socket.close();
    refused_.push_back(&visit);
    if (++failures_in_a_row_ == 1000) measurement_.give_up();
  }

  void begin_the_refused() {
    const auto again = std::exchange(refused_, {});
    for (Visit* const visit : again) begin(*visit);
  }

  const Options& options_;
  Measurement& measurement_;
  std::vector<Visit> visits_;
  std::vector<Visit*> refused_;
  File epoll_{check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::uint64_t begun_ = 0;
  unsigned failures_in_a_row_ = 0;
  char buffer_[16 * 1024];
};

}  // namespace bench
