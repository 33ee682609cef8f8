#pragma once
/// udp-burst: numbered datagrams as fast as the kernel takes them; then the echoes are counted until it is quiet. Or a
/// line asked for so many times: then answers are only counted, since nothing tells which datagram they belong to.

#include <linux/sock_diag.h>

#include <string>
#include <vector>

#include "bench/load/datagrams.h"
#include "bench/load/process_time.h"

namespace bench {

class UdpBurst {
 public:
  explicit UdpBurst(const Options& options)
      : options_(options),
        line_(options.slow.empty() ? std::string() : std::string(options.slow) + '\n'),
        count_(std::min<std::uint64_t>(options.count, 1'000'000)),
        back_(count_),
        socket_(connect_udp(options.port)) {
    // Our end must not be the one that loses. Room for all echoes at once needs CAP_NET_ADMIN; without it the kernel
    // grants what net.core.rmem_max allows, and `dropped_here` tells whether that was enough.
    const int wanted = static_cast<int>(count_ * 2048);
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) < 0)
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  }

  void run() {
    const Nanos used = read_server();
    const auto start = Clock::now();
    send_all();
    const auto gone = Clock::now();
    count_echoes(gone + std::chrono::seconds(30));
    print(gone - start, std::max(last_, gone) - start, read_server() - used);
  }

 private:
  struct Numbered {
    std::uint64_t number;
    std::uint64_t sign;
  };
  static constexpr std::uint64_t sign = 0x7375706572642121;
  static constexpr std::chrono::milliseconds quiet{500};

  void send_all() {
    const auto end = Clock::now() + std::chrono::seconds(10);
    while (sent_ < count_ && Clock::now() < end) {
      const auto many = static_cast<unsigned>(std::min<std::uint64_t>(Datagrams::batch, count_ - sent_));
      for (unsigned i = 0; i < many; ++i) write(datagrams_[i], sent_ + i);
      const int went = datagrams_.send(socket_.get(), many, line_.empty() ? sizeof(Numbered) : line_.size());
      if (went > 0) sent_ += static_cast<std::uint64_t>(went);
    }
  }

  void write(char* datagram, std::uint64_t number) const {
    const Numbered numbered{number, sign};
    if (line_.empty())
      std::memcpy(datagram, &numbered, sizeof numbered);
    else
      line_.copy(datagram, Datagrams::room);
  }

  void count_echoes(Clock::time_point end) {
    while (Clock::now() < end && readable(socket_.get(), quiet)) {
      const int got = datagrams_.receive(socket_.get());
      if (got > 0) last_ = Clock::now();
      for (int i = 0; i < got; ++i) count(static_cast<unsigned>(i));
    }
  }

  void count(unsigned i) {
    if (!line_.empty()) return count_line(i);
    Numbered echo{};
    std::memcpy(&echo, datagrams_[i], sizeof echo);
    if (datagrams_.size(i) != sizeof echo || echo.sign != sign || echo.number >= sent_) {
      ++wrong_;
      return;
    }
    if (back_[echo.number])
      ++twice_;
    else
      ++echoed_;
    back_[echo.number] = true;
  }

  void count_line(unsigned i) {
    const bool done = is_done({datagrams_[i], datagrams_.size(i)});
    ++(!done ? wrong_ : echoed_ == sent_ ? twice_ : echoed_);
  }

  std::uint32_t dropped_here() const {
    std::uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t length = sizeof memory;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_MEMINFO, memory, &length);
    return memory[SK_MEMINFO_DROPS];
  }

  Nanos read_server() const { return options_.server != 0 ? cpu_time_of(options_.server) : Nanos{}; }

  void print(Nanos sending, Nanos whole, Nanos cpu) const {
    std::printf(
        "{\"mode\": \"udp-burst\", \"operations\": %llu, \"sent\": %llu, \"lost\": %llu, \"twice\": %llu, "
        "\"errors\": %llu, \"dropped_here\": %u, \"send_seconds\": %.6f, \"seconds\": %.6f, "
        "\"server_cpu_seconds\": %.9f}\n",
        static_cast<unsigned long long>(echoed_), static_cast<unsigned long long>(sent_),
        static_cast<unsigned long long>(sent_ - echoed_), static_cast<unsigned long long>(twice_),
        static_cast<unsigned long long>(wrong_ + count_ - sent_), dropped_here(), Seconds(sending).count(),
        Seconds(whole).count(), Seconds(cpu).count());
  }

  const Options& options_;
  std::string line_;
  std::uint64_t count_;
  std::vector<bool> back_;
  File socket_;
  Datagrams datagrams_;
  std::uint64_t sent_ = 0;
  std::uint64_t echoed_ = 0;
  std::uint64_t twice_ = 0;
  std::uint64_t wrong_ = 0;
  Clock::time_point last_{};
};

}  // namespace bench
