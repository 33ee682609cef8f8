#pragma once
/// udp: a window of requests on one socket; every answer lets the next request go.
///
/// The answers of TIME carry no number, so the n-th answer is taken for that of the n-th request. When nothing comes
/// for 200 ms, all that is outstanding is lost and counted as errors.

#include <vector>

#include "bench/load/datagrams.h"
#include "bench/load/measurement.h"

namespace bench {

class UdpRequests {
 public:
  UdpRequests(const Options& options, Measurement& measurement)
      : options_(options), measurement_(measurement), began_(options.parallel), socket_(connect_udp(options.port)) {}

  void run() {
    heard_ = Clock::now();
    for (auto now = heard_; measurement_.goes_on(now); now = Clock::now()) {
      fill_window(now);
      receive();
    }
  }

 private:
  void fill_window(Clock::time_point now) {
    while (outstanding_ < options_.parallel) {
      const unsigned count = std::min(options_.parallel - outstanding_, Datagrams::batch);
      const int went = requests_.send(socket_.get(), count, std::min(options_.size, Datagrams::room));
      if (went <= 0) return;
      for (int i = 0; i < went; ++i) began_[sent_++ % began_.size()] = now;
      outstanding_ += static_cast<unsigned>(went);
    }
  }

  void receive() {
    const int got = answers_.receive(socket_.get());
    if (got < 0) return wait();
    heard_ = Clock::now();
    for (int i = 0; i < got && outstanding_ > 0; ++i, --outstanding_)
      measurement_.done(began_[(sent_ - outstanding_) % began_.size()], heard_);
  }

  void wait() {
    if (errno == ECONNREFUSED) {
      measurement_.failed();
      return measurement_.give_up();
    }
    if (readable(socket_.get(), std::chrono::milliseconds(200)) || outstanding_ == 0) return;
    measurement_.failed(outstanding_);
    outstanding_ = 0;
  }

  const Options& options_;
  Measurement& measurement_;
  std::vector<Clock::time_point> began_;
  File socket_;
  Datagrams requests_;
  Datagrams answers_;
  Clock::time_point heard_;
  std::uint64_t sent_ = 0;
  unsigned outstanding_ = 0;
};

}  // namespace bench
