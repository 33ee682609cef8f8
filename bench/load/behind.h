#pragma once
/// behind: how long does a client wait that comes while the handler of another one is busy?
///
/// Trials one after the other: the first client sends its line; 1 to 20 ms later, at random, the second one connects,
/// sends a fast line and is timed from connect to answer. A trial begins when the slow answer of the last one is in,
/// and a moment later, so that each meets a server at rest.

#include <poll.h>
#include <sched.h>
#include <time.h>

#include <random>
#include <string>
#include <vector>

#include "bench/load/sockets.h"

namespace bench {

class Behind {
 public:
  explicit Behind(const Options& options)
      : options_(options),
        slow_(std::string(options.slow) + '\n'),
        trials_(std::min<std::uint64_t>(options.count, 10'000)) {}

  void run() {
    // Where we may, nobody keeps us from the processor: the wait that is told should be the server's, and a thread that
    // computes keeps even a woken one waiting for some milliseconds (sched(7)).
    const sched_param first{1};
    ::sched_setscheduler(0, SCHED_FIFO, &first);
    for (std::uint64_t i = 0; i < trials_; ++i) {
      try_once();
      sleep_for(between);
    }
    print();
  }

 private:
  using Micros = std::chrono::duration<double, std::micro>;
  static constexpr std::chrono::microseconds least{1000};
  static constexpr std::chrono::microseconds most{20'000};
  static constexpr std::chrono::milliseconds between{5};

  void try_once() {
    const File slow = ask(slow_);
    sleep_for(std::chrono::microseconds(moment_(random_)));
    const auto begin = Clock::now();
    const File fast = ask(fast_line);
    const bool fast_answered = answered(fast);
    const Micros waited = Clock::now() - begin;
    // Whoever is answered when the slow one has been has met no busy handler, unless it waited for that.
    if (!answered(slow) || !fast_answered) {
      ++errors_;
      return;
    }
    waits_.push_back(waited.count());
  }

  File ask(std::string_view line) {
    File socket = connect_patiently(source(begun_++, options_), options_.port);
    if (::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size()))
      ::shutdown(socket.get(), SHUT_WR);
    return socket;
  }

  static bool answered(const File& socket) {
    pollfd waiting{socket.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0) return false;
    char answer[4096];
    const ssize_t got = ::recv(socket.get(), answer, sizeof answer, MSG_DONTWAIT);
    return got > 0 && is_done({answer, static_cast<std::size_t>(got)});
  }

  static void sleep_for(Nanos duration) {
    const timespec wanted{0, static_cast<long>(duration.count())};
    ::nanosleep(&wanted, nullptr);
  }

  void print() const {
    std::printf("{\"mode\": \"behind\", \"operations\": %zu, \"errors\": %llu, \"waits_us\": [", waits_.size(),
                static_cast<unsigned long long>(errors_));
    for (std::size_t i = 0; i < waits_.size(); ++i) std::printf("%s%.1f", i == 0 ? "" : ", ", waits_[i]);
    std::puts("]}");
  }

  const Options& options_;
  std::string slow_;
  std::uint64_t trials_;
  std::mt19937 random_{1};
  std::uniform_int_distribution<int> moment_{static_cast<int>(least.count()), static_cast<int>(most.count())};
  std::vector<double> waits_;
  std::uint64_t begun_ = 0;
  std::uint64_t errors_ = 0;
};

}  // namespace bench
