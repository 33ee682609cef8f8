#pragma once

#include <optional>

#include "superd/base/siphash.h"
#include "superd/lab/pace.h"
#include "superd/lab/ping_tally.h"
#include "superd/lab/ping_targets.h"
#include "superd/lab/probe_stamp.h"
#include "superd/lab/probe_window.h"
#include "superd/lab/round_trip.h"

namespace superd {

struct PingManner {
  std::uint32_t count = 0;    ///< probes to each target; 0: until interrupted
  Millis interval{1000};      ///< between two to the same target
  Millis timeout{1000};       ///< after which there is no answer
  std::uint64_t rate = 1000;  ///< probes a second to all targets together; 0: no bound but what is under way
  std::size_t size = 56;      ///< bytes in a probe
  int ttl = 0;                ///< 0: the system's
};

/// Hears of each probe as it happens; tells people, or not.
class PingListener {
 public:
  struct Probe {
    std::uint32_t index, round;
  };
  virtual void on_reply(Probe, const EchoArrival&, Clock::duration time, bool is_duplicate) = 0;
  virtual void on_failure(Probe, const EchoArrival&) = 0;
  virtual void on_silence(Probe) = 0;
  virtual void on_moment(const PingTally&, Time now) = 0;  ///< now and then, some ten times a second

 protected:
  ~PingListener() = default;
};

/// Sends probes to targets, round after round, and watches for answers: as many under way as the kernel has room for
/// answers, in batches, at a rate. One target and a million are the same work. One thread.
class Pinger {
 public:
  [[nodiscard]] static Result<Pinger> open(const PingTargets& targets, const PingManner& manner);

  /// Until all probes are answered or too old, or the user interrupts.
  void run(PingListener& listener);
  [[nodiscard]] const PingTally& tally() const noexcept { return tally_; }
  /// Neither answered nor too old when it ended: nobody knows about those.
  [[nodiscard]] std::uint64_t under_way() const noexcept { return window_.unanswered(); }
  [[nodiscard]] std::optional<bool> is_raw(IcmpVersion version) const noexcept;  ///< nothing: not used

 private:
  Pinger(const PingTargets& targets, const PingManner& manner);

  [[nodiscard]] bool has_more() const noexcept;
  std::uint64_t send_due(Time now);
  std::uint64_t fill_batch(EchoSocket& socket, std::uint64_t most, Time now);
  [[nodiscard]] bool is_round_due(Time now) const noexcept { return index_ != 0 || now >= next_round_; }
  void begin_round(Time now) noexcept;
  void refuse(std::uint64_t number, int code);
  std::size_t receive();
  void take(const EchoArrival& arrival);
  void take_reply(const EchoArrival& arrival);
  void take_failure(const EchoArrival& arrival);
  void wait(Time now);
  [[nodiscard]] Clock::duration patience() const noexcept;
  [[nodiscard]] PingListener::Probe probe_of(std::uint64_t number) const noexcept;
  [[nodiscard]] std::optional<EchoSocket>& socket_for(std::uint32_t index) noexcept;

  const PingTargets& targets_;
  PingManner manner_;
  std::optional<EchoSocket> v4_, v6_;
  SipHash hash_;
  ProbeWindow window_;
  PingTally tally_;
  Pace pace_;
  RoundTrip round_trip_;
  bool is_round_trip_known_ = false;
  PingListener* listener_ = nullptr;
  Time next_round_{}, looked_{};
  std::uint32_t round_ = 0, index_ = 0;  // of the next probe
  std::uint64_t window_limit_ = 0;
};

}  // namespace superd
