#include "superd/lab/ping_tally.h"

#include <algorithm>

namespace superd {
namespace {

constexpr std::uint32_t bit_of(std::uint32_t round) noexcept { return std::uint32_t{1} << round % 32; }

}  // namespace

void PingTally::note_sent(std::uint32_t index, std::uint32_t round) noexcept {
  states_[index].seen &= ~bit_of(round);
  ++sent;
}

bool PingTally::note_reply(std::uint32_t index, std::uint32_t round, Clock::duration time) noexcept {
  auto& state = states_[index];
  if ((state.seen & bit_of(round)) != 0) {
    ++duplicates;
    return false;
  }
  state.seen |= bit_of(round);
  if (state.received == 0) {
    ++answered;
    if (state.failures > 0) --unreachable;
  }
  if (state.received < (1U << 24) - 1) state.received = state.received + 1;
  ++received;
  times.add(time);
  bars.add(time);
  if (!times_.empty()) times_[index].add(time);
  return true;
}

void PingTally::note_failure(std::uint32_t index, const EchoArrival& failure) noexcept {
  auto& state = states_[index];
  if (state.failures == 0 && state.received == 0) ++unreachable;
  if (state.failures < 255) state.failures = state.failures + 1;
  ++failures;
  const auto known = std::ranges::find_if(tellers, [&](const Teller& teller) { return teller.tells(failure); });
  if (known != tellers.end()) {
    ++known->count;
  } else if (tellers.size() < most_tellers) {
    tellers.push_back({.from = failure.from,
                       .type = failure.type,
                       .code = failure.code,
                       .local_error = failure.local_error,
                       .is_v6 = !failure.target.is_v4(),
                       .count = 1});
  } else {
    ++untold;
  }
}

}  // namespace superd
