#pragma once

#include <string>

#include "superd/lab/ping.h"

namespace superd {

/// A ping that is over, for who tells of it.
struct PingOutcome {
  const PingTargets& targets;
  const PingTally& tally;
  std::uint64_t under_way;  ///< probes of which nobody knows
  Clock::duration took;
  const char* socket_v4;  ///< "ping", "raw", or null where there was none
  const char* socket_v6;

  [[nodiscard]] std::uint64_t lost() const noexcept {
    return tally.sent - std::min(tally.sent, tally.received + under_way);
  }
  [[nodiscard]] std::uint32_t asked() const noexcept {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(tally.sent, targets.size()));
  }
  [[nodiscard]] std::uint32_t silent() const noexcept { return asked() - tally.answered - tally.unreachable; }
};

/// What an error says: "host unreachable", "this host: no route", "packet too big, 1280 fit".
[[nodiscard]] std::string failure_text(const EchoArrival& failure);
[[nodiscard]] std::string teller_text(const PingTally::Teller& teller);

/// The summary for people: of one target with a histogram, of a few as a table, of many in numbers.
[[nodiscard]] std::string summary_text(const PingOutcome& outcome);
/// The same as one JSON object, with a line for each target.
void write_json(const PingOutcome& outcome);

}  // namespace superd
