#pragma once

#include <string>

#include "superd/lab/live_text.h"
#include "superd/lab/ping.h"

namespace superd {

/// Writes a line for each probe, or, of a network, one for each target that answers; beside them, on a terminal, how far it
/// is. One thread.
class PingPrinter final : public PingListener {
 public:
  enum class Lines : std::uint8_t { none, of_targets, of_probes };
  PingPrinter(const PingTargets& targets, const PingManner& manner, Lines lines, bool is_live);
  ~PingPrinter() { flush(); }

  void on_reply(Probe probe, const EchoArrival& arrival, Clock::duration time, bool is_duplicate) override;
  void on_failure(Probe probe, const EchoArrival& arrival) override;
  void on_silence(Probe probe) override;
  void on_moment(const PingTally& tally, Time now) override;

  /// Writes what is still to be written, and removes what is live.
  void flush();

 private:
  void begin_line(Probe probe);

  const PingTargets& targets_;
  PingManner manner_;
  Lines lines_;
  LiveText live_;
  std::string text_;
  std::vector<bool> told_;  // of targets that have their line
};

}  // namespace superd
