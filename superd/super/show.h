#pragma once

#include <string>

#include "superd/serve/scoreboard.h"
#include "superd/super/host.h"

namespace superd {

/// A line with a service's level, its peak, every counter that is not zero, and quantiles of its times. Where programs
/// serve it, or have: a line with how many run, how others ended and what they took, and one for each of those that have
/// run longest.
void log_counters(const std::string& service, const Scoreboard&);

/// The same for all services of a host.
void log_counters(const Host&);

/// A line with what became of the log's lines, where there is a log process.
void log_log();

/// A line for each design that adapts itself, and one for each of its last decisions.
void log_reports(const Host&);

}  // namespace superd
