#pragma once

#include <functional>

#include "superd/super/host.h"

namespace superd {

/// How superd ended; the exit codes are those of the djb and skarnet programs where they have one.
enum class ExitCode : int {
  drained = 0,     ///< every conversation came to its end
  cut = 1,         ///< some were cut at the end of the drain, or by a second signal
  misuse = 100,    ///< a wrong option or configuration
  try_again = 111  ///< a port in use, no permission, no descriptors: the system said no
};

/// Blocks the signals that superd waits for, before any thread begins, so that they come to run_until_signalled() alone.
/// Opens /dev/null for standard descriptors that are closed, so that no client gets one of them (faults: 22).
[[nodiscard]] Result<> prepare_process();

/// As many descriptors as the hard limit allows, and a warning where that is less than the table could need.
void raise_descriptor_limit(const ServiceTable&);

/// Waits for signals: SIGTERM and SIGINT drain, a second one cuts at once; SIGUSR2 logs all counters; SIGHUP calls
/// `reload`, or is told to have no effect where there is none. Returns when all is drained or cut, or when a process is
/// lost without which nothing can go on. `drain_patience` may be another one after a reload.
[[nodiscard]] ExitCode run_until_signalled(Host&, const Millis& drain_patience,
                                           const std::function<void()>& reload = {});

}  // namespace superd
