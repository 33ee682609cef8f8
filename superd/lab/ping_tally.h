#pragma once

#include <cstdint>
#include <vector>

#include "superd/lab/echo_socket.h"
#include "superd/lab/round_trips.h"

namespace superd {

/// What has been counted of all targets, and of each: eight bytes, or times too where there are few. Pure.
class PingTally {
 public:
  /// Up to so many targets have their times kept.
  static constexpr std::uint32_t few = 1024;

  explicit PingTally(std::uint32_t targets) : states_(targets), times_(targets <= few ? targets : 0) {}

  void note_sent(std::uint32_t index, std::uint32_t round) noexcept;
  /// False: it is the second answer to the same probe.
  bool note_reply(std::uint32_t index, std::uint32_t round, Clock::duration time) noexcept;
  void note_failure(std::uint32_t index, const EchoArrival& failure) noexcept;

  struct Target {
    std::uint32_t received, failures;
  };
  [[nodiscard]] Target operator[](std::uint32_t index) const noexcept {
    return {states_[index].received, states_[index].failures};
  }
  /// Nothing where there are too many targets.
  [[nodiscard]] const RoundTrips* times_of(std::uint32_t index) const noexcept {
    return times_.empty() ? nullptr : &times_[index];
  }
  [[nodiscard]] std::uint32_t targets() const noexcept { return static_cast<std::uint32_t>(states_.size()); }

  std::uint64_t sent = 0, received = 0, duplicates = 0;
  std::uint64_t late = 0;         ///< of those received: after their timeout
  std::uint64_t failures = 0;     ///< errors about probes
  std::uint64_t damaged = 0;      ///< with a wrong checksum
  std::uint64_t strange = 0;      ///< not ours by their hash, or from an address that was not asked
  std::uint32_t answered = 0;     ///< targets with an answer
  std::uint32_t unreachable = 0;  ///< targets with errors alone
  RoundTrips times;
  RoundTripBars bars;

  /// Who told of failures, and which; the last entry is all others, when there are too many.
  struct Teller {
    AddressBits from;
    std::uint8_t type = 0, code = 0;
    int local_error = 0;
    bool is_v6 = false;
    std::uint64_t count = 0;
    [[nodiscard]] bool tells(const EchoArrival& failure) const noexcept {
      return from == failure.from && type == failure.type && code == failure.code && local_error == failure.local_error;
    }
  };
  static constexpr std::size_t most_tellers = 32;
  std::vector<Teller> tellers;
  std::uint64_t untold = 0;  ///< failures whose tellers found no room there

 private:
  struct State {
    std::uint32_t seen = 0;           // a bit for each of the last 32 rounds: is it answered?
    std::uint32_t received : 24 = 0;  // both stay at their most
    std::uint32_t failures : 8 = 0;
  };
  static_assert(sizeof(State) == 8);

  std::vector<State> states_;
  std::vector<RoundTrips> times_;
};

}  // namespace superd
