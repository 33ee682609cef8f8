#pragma once

#include <algorithm>
#include <limits>

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

}  // namespace superd
