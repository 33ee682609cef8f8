#pragma once

#include <poll.h>

#include <span>

#include "superd/base/clock.h"

namespace superd {

/// SIGINT and SIGTERM from here on end a wait of this file's instead of the program; the second one ends it as ever.
void end_waits_by_signals();
[[nodiscard]] bool was_interrupted() noexcept;

/// Waits until one of them is ready, the time has come, or a signal has: poll(2). Whoever never waits calls it now and
/// then with a time that is past, to let signals in.
void wait_for(std::span<pollfd> descriptors, Time until) noexcept;
/// Sleeps; false when it was interrupted.
bool pause_for(Clock::duration time) noexcept;

}  // namespace superd
