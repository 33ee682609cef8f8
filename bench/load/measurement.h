#pragma once
/// The measured part of a load: when it begins and ends, what was done in it, and how it is told.

#include <unistd.h>

#include <cstdint>
#include <cstdio>

#include "bench/load/histogram.h"
#include "bench/load/options.h"
#include "bench/load/process_time.h"

namespace bench {

class Measurement {
 public:
  explicit Measurement(const Options& options)
      : options_(options), begin_(Clock::now() + std::chrono::duration_cast<Nanos>(options.warmup)) {}

  /// False when the load is over. The CPU clocks are read by the thread that makes the load, in the first call after
  /// the warm-up and in the last one, so that neither start-up nor the closing of connections is counted.
  bool goes_on(Clock::time_point now) {
    if (over_) return false;
    if (!measuring_ && now >= begin_) open(now);
    if (measuring_ && (now >= end_ || latencies_.total() + errors_ >= options_.count)) close(now);
    return !over_;
  }

  void done(Clock::time_point began, Clock::time_point now) {
    if (measures()) latencies_.add(static_cast<std::uint64_t>((now - began).count()));
  }

  /// False during the warm-up, and when the load is over.
  bool measures() const { return measuring_ && !over_; }

  /// An answer that was wrong, or did not come. Counted during the warm-up too: an error is never expected.
  void failed(std::uint64_t how_many = 1) { errors_ += how_many; }

  /// For a load that can't go on, because nobody serves it any more.
  void give_up() { close(Clock::now()); }

  /// The members all loads have in common, without the closing brace.
  void print() const {
    const double seconds = Seconds(end_ - begin_).count();
    const auto operations = static_cast<double>(latencies_.total());
    std::printf(
        "{\"mode\": \"%.*s\", \"operations\": %.0f, \"seconds\": %.6f, \"rate\": %.1f, \"p50_us\": %.1f, "
        "\"p99_us\": %.1f, \"errors\": %llu, \"server_cpu_seconds\": %.9f, \"client_cpu_seconds\": %.9f",
        static_cast<int>(options_.mode.size()), options_.mode.data(), operations, seconds,
        seconds > 0 ? operations / seconds : 0, static_cast<double>(latencies_.quantile(0.5)) / 1000,
        static_cast<double>(latencies_.quantile(0.99)) / 1000, static_cast<unsigned long long>(errors_),
        Seconds(server_cpu_).count(), Seconds(client_cpu_).count());
  }

 private:
  void open(Clock::time_point now) {
    measuring_ = true;
    begin_ = now;
    end_ = now + std::chrono::duration_cast<Nanos>(options_.seconds);
    server_cpu_ = read_server();
    client_cpu_ = cpu_time_of(::getpid());
  }

  void close(Clock::time_point now) {
    if (over_) return;
    over_ = true;
    if (!measuring_) open(now);
    end_ = now;
    client_cpu_ = cpu_time_of(::getpid()) - client_cpu_;
    server_cpu_ = read_server() - server_cpu_;
  }

  Nanos read_server() const { return options_.server != 0 ? cpu_time_of(options_.server) : Nanos{}; }

  const Options& options_;
  Histogram latencies_;
  std::uint64_t errors_ = 0;
  Clock::time_point begin_;
  Clock::time_point end_ = begin_;
  Nanos server_cpu_{};
  Nanos client_cpu_{};
  bool measuring_ = false;
  bool over_ = false;
};

}  // namespace bench
