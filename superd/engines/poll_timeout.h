#pragma once

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <span>

#include "superd/base/clock.h"

namespace superd {

/// A deadline as poll(2) and epoll_wait(2) want it: milliseconds from now, rounded up so that nothing wakes too early;
/// -1 for never, 0 for the past (which costs no look at the clock when it is the epoch).
inline int poll_timeout(Time until) noexcept {
  if (until == never) return -1;
  if (until == Time{}) return 0;
  const auto left = std::chrono::ceil<Millis>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<Millis::rep>(left, 0, std::numeric_limits<int>::max()));
}

/// poll(2) in the main loop of a process: when the kernel has no memory to wait with, it returns after a pause, so that
/// nothing spins.
inline void poll_until(std::span<pollfd> watched, Time until) noexcept {
  constexpr useconds_t pause = 10'000;
  if (poll(watched.data(), watched.size(), poll_timeout(until)) < 0 && errno != EINTR) (void)usleep(pause);
}

}  // namespace superd
