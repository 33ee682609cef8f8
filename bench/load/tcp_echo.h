#pragma once
/// tcp-echo: every connection sends a message, waits for all of it to come back, and sends the next.

#include <netinet/tcp.h>

#include <vector>

#include "bench/load/measurement.h"
#include "bench/load/sockets.h"

namespace bench {

class TcpEcho {
 public:
  TcpEcho(const Options& options, Measurement& measurement)
      : options_(options), measurement_(measurement), message_(std::max<std::size_t>(options.size, 1)) {
    for (std::size_t i = 0; i < message_.size(); ++i) message_[i] = static_cast<char>(i * 31 + i / 256);
  }

  void run() {
    open_all();
    const auto start = Clock::now();
    for (Talk& talk : talks_) begin(talk, start);
    epoll_event events[256];
    while (measurement_.goes_on(Clock::now())) {
      const int count = check(::epoll_wait(epoll_.get(), events, 256, 100), "epoll_wait");
      for (int i = 0; i < count; ++i) go_on(talks_[events[i].data.u64], events[i].events);
    }
  }

 private:
  struct Talk {
    File socket;
    Clock::time_point began;
    std::size_t sent = 0;
    std::size_t received = 0;
    bool blocked = false;
  };

  void open_all() {
    for (unsigned i = 0; i < options_.parallel; ++i) {
      Talk& talk = talks_.emplace_back();
      talk.socket = connect_patiently(source(i, options_), options_.port);
      const int on = 1;
      ::setsockopt(talk.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    for (std::size_t i = 0; i < talks_.size(); ++i) listen_for(i, EPOLL_CTL_ADD, EPOLLIN);
  }

  void listen_for(std::size_t index, int how, std::uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.u64 = index;
    check(::epoll_ctl(epoll_.get(), how, talks_[index].socket.get(), &event), "epoll_ctl");
  }

  void begin(Talk& talk, Clock::time_point now) {
    talk.began = now;
    talk.sent = talk.received = 0;
    send_rest(talk);
  }

  void send_rest(Talk& talk) {
    const ssize_t went = ::send(talk.socket.get(), message_.data() + talk.sent, message_.size() - talk.sent,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (went < 0 && errno != EAGAIN) return give_up(talk);
    if (went > 0) talk.sent += static_cast<std::size_t>(went);
    const bool blocked = talk.sent < message_.size();
    if (blocked == talk.blocked) return;
    talk.blocked = blocked;
    const std::uint32_t writing = blocked ? std::uint32_t{EPOLLOUT} : 0;
    listen_for(static_cast<std::size_t>(&talk - talks_.data()), EPOLL_CTL_MOD, EPOLLIN | writing);
  }

  void go_on(Talk& talk, std::uint32_t events) {
    if (!talk.socket.open()) return;
    if (events & EPOLLOUT) send_rest(talk);
    if (talk.socket.open() && events & ~std::uint32_t{EPOLLOUT}) receive(talk);
  }

  void receive(Talk& talk) {
    const std::size_t wanted = std::min(sizeof buffer_, message_.size() - talk.received);
    const ssize_t got = ::recv(talk.socket.get(), buffer_, wanted, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return give_up(talk);
    const auto size = static_cast<std::size_t>(got);
    if (std::memcmp(buffer_, message_.data() + talk.received, size) != 0) return give_up(talk);
    talk.received += size;
    if (talk.received < message_.size()) return;
    const auto now = Clock::now();
    measurement_.done(talk.began, now);
    begin(talk, now);
  }

  void give_up(Talk& talk) {
    measurement_.failed();
    talk.socket.close();
    if (++given_up_ == talks_.size()) measurement_.give_up();
  }

  const Options& options_;
  Measurement& measurement_;
  std::vector<char> message_;
  std::vector<Talk> talks_;
  File epoll_{check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::size_t given_up_ = 0;
  char buffer_[64 * 1024];
};

}  // namespace bench
