#pragma once
/// tcp-mix: connect, send a line, read a line, close; as soon as one is over the next begins. A share of the lines asks
/// for something slow.
///
/// Our half of the connection ends with the request, so that a server that reads on after the answer, or looks whether
/// there is more, has its reply without waiting for us. The rate and the quantiles that all loads tell are those of all
/// requests; `fast_p50_us` and `fast_p99_us` are those of the fast ones, which tell who waits for whom: a slow
/// request is slow in every design.

#include <string>
#include <vector>

#include "bench/load/measurement.h"
#include "bench/load/slow_share.h"
#include "bench/load/sockets.h"

namespace bench {

class TcpMix {
 public:
  TcpMix(const Options& options, Measurement& measurement)
      : options_(options),
        measurement_(measurement),
        share_(options.share),
        slow_(std::string(options.slow) + '\n'),
        visits_(options.parallel) {}

  void run() {
    for (Visit& visit : visits_) begin(visit);
    while (measurement_.goes_on(Clock::now())) turn();
    drain();
  }

  void print() const {
    std::printf(", \"slow\": %llu, \"fast\": %llu, \"fast_p50_us\": %.1f, \"fast_p99_us\": %.1f, \"undone\": %zu",
                static_cast<unsigned long long>(slow_done_), static_cast<unsigned long long>(fast_.total()),
                static_cast<double>(fast_.quantile(0.5)) / 1000, static_cast<double>(fast_.quantile(0.99)) / 1000,
                going_);
  }

 private:
  struct Visit {
    File socket;
    Clock::time_point began;
    bool slow = false;
    bool asked = false;
  };

  void turn() {
    epoll_event events[256];
    const int count = check(::epoll_wait(epoll_.get(), events, 256, 100), "epoll_wait");
    for (int i = 0; i < count; ++i) go_on(visits_[events[i].data.u64]);
    if (draining_) return;
    const auto again = std::exchange(refused_, {});
    for (Visit* const visit : again) begin(*visit);
  }

  /// What a server still has to do would be taken from the one that is measured after it.
  void drain() {
    draining_ = true;
    const auto end = Clock::now() + std::chrono::seconds(20);
    while (going_ > 0 && Clock::now() < end) turn();
  }

  void begin(Visit& visit) {
    visit.began = Clock::now();
    visit.slow = share_.next();
    visit.asked = false;
    visit.socket = tcp_socket(source(begun_++, options_), SOCK_NONBLOCK);
    ++going_;
    if (!visit.socket.open() || !connect_to(visit.socket, options_.port)) return failed(visit);
    // On loopback the connection is there already when the server's backlog has room.
    if (!ask(visit)) return failed(visit);
    epoll_event event{};
    event.events = EPOLLIN | (visit.asked ? std::uint32_t{0} : std::uint32_t{EPOLLOUT});
    event.data.u64 = static_cast<std::uint64_t>(&visit - visits_.data());
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, visit.socket.get(), &event), "epoll_ctl");
  }

  /// False when the connection is no good; without being `asked` the visit waits until it is connected.
  bool ask(Visit& visit) {
    const std::string_view line = visit.slow ? slow_ : fast_line;
    const ssize_t went = ::send(visit.socket.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (went < 0) return errno == EAGAIN || errno == ENOTCONN;
    visit.asked = true;
    ::shutdown(visit.socket.get(), SHUT_WR);
    return went == static_cast<ssize_t>(line.size());
  }

  void go_on(Visit& visit) {
    if (!visit.socket.open()) return;
    if (!visit.asked) return go_on_connecting(visit);
    const ssize_t got = ::recv(visit.socket.get(), answer_, sizeof answer_, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || !is_done({answer_, static_cast<std::size_t>(got)})) return failed(visit);
    over(visit, Clock::now());
  }

  void go_on_connecting(Visit& visit) {
    if (!ask(visit)) return failed(visit);
    if (!visit.asked) return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = static_cast<std::uint64_t>(&visit - visits_.data());
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, visit.socket.get(), &event), "epoll_ctl");
  }

  void over(Visit& visit, Clock::time_point now) {
    failures_in_a_row_ = 0;
    measurement_.done(visit.began, now);
    if (measurement_.measures() && visit.slow) ++slow_done_;
    if (measurement_.measures() && !visit.slow) fast_.add(static_cast<std::uint64_t>((now - visit.began).count()));
    visit.socket.close();
    --going_;
    if (!draining_) begin(visit);
  }

  /// The visit begins again only after the next look at the clock, so that a dead server cannot hold us here.
  void failed(Visit& visit) {
    measurement_.failed();
    visit.socket.close();
    --going_;
    refused_.push_back(&visit);
    if (++failures_in_a_row_ == 1000) measurement_.give_up();
  }

  const Options& options_;
  Measurement& measurement_;
  SlowShare share_;
  std::string slow_;
  std::vector<Visit> visits_;
  std::vector<Visit*> refused_;
  File epoll_{check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  Histogram fast_;
  std::uint64_t slow_done_ = 0;
  std::uint64_t begun_ = 0;
  std::size_t going_ = 0;
  unsigned failures_in_a_row_ = 0;
  bool draining_ = false;
  char answer_[4096];
};

}  // namespace bench
