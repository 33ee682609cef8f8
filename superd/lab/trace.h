#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "superd/lab/trace_socket.h"

namespace superd {

struct TraceManner {
  int most_hops = 30;    ///< as traceroute(8) has it
  int probes = 3;        ///< of each hop
  Millis timeout{1000};  ///< after which a probe is sent once more, and then given up
};

/// One probe of a hop, and what came of it.
struct TraceProbe {
  int tries = 0;  ///< how often it was sent, at most twice
  Time sent[2] = {};
  std::optional<TraceArrival> arrival;
  Clock::duration time{};  ///< of the round trip
};

struct TraceHop {
  std::vector<TraceProbe> probes;

  [[nodiscard]] int sent() const noexcept;
  [[nodiscard]] int answered() const noexcept;
};

/// Finds the routers to a target: probes of all TTLs are on their way together, a millisecond from one hop to the next, so
/// that none is sent in vain beyond a target nearby. All of a hop leave together and before those of farther ones: a host
/// that allows six errors at once, and then one a second (Linux: icmp_ratelimit), answers those that count. One thread.
class Tracer {
 public:
  Tracer(const TraceTarget& target, const TraceManner& manner, std::unique_ptr<TraceSocket> socket);

  /// Until all hops up to the target are known or given up, or the user interrupts. `show` is called ten times a second,
  /// and whenever something was learnt.
  void run(const std::function<void(const Tracer&, Time now)>& show);

  /// Those up to the target, or up to the last one that was asked.
  [[nodiscard]] std::size_t length() const noexcept;
  [[nodiscard]] const TraceHop& hop(std::size_t index) const noexcept { return hops_[index]; }
  [[nodiscard]] bool has_reached() const noexcept { return has_reached_; }
  [[nodiscard]] const TraceTarget& target() const noexcept { return target_; }

 private:
  static constexpr Clock::duration gap = Millis(1);

  [[nodiscard]] bool is_over(Time now) const noexcept;
  void send_due(Time now);
  void send(std::size_t hop, std::size_t which);
  void take(const TraceArrival& arrival);
  [[nodiscard]] Time next_event(Time now) const noexcept;
  [[nodiscard]] bool is_final(const TraceArrival& arrival) const noexcept;
  [[nodiscard]] bool is_given_up(const TraceProbe& probe, Time now) const noexcept;
  [[nodiscard]] std::uint16_t number_of(std::size_t hop, std::size_t which, int attempt) const noexcept;

  TraceTarget target_;
  TraceManner manner_;
  std::unique_ptr<TraceSocket> socket_;
  std::vector<TraceHop> hops_;
  std::size_t last_;  // hops that are asked: all, until the target is found among them
  Time began_{};
  bool has_reached_ = false;
};

}  // namespace superd
