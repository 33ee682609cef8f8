#pragma once

#include <sys/resource.h>

#include "superd/base/counter.h"

namespace superd {

/// How the programs of a service have ended, and what they took of the machine, in memory that processes share: zeroed
/// memory is of none. Whoever reaps them adds, without locks; each number is exact.
///
/// What a program took is what it and those it waited for took (getrusage(2), RUSAGE_CHILDREN).
class ProgramTotals {
 public:
  /// One has ended: `status` and `used` are what wait4(2) told of it.
  void add(int status, const rusage& used) noexcept;

  Counter well;       ///< exit code 0
  Counter badly;      ///< another one
  Counter by_signal;  ///< by whoever's: ours too, when they were cut
  Counter user_us, system_us;
  Counter most_kb;  ///< the largest resident set that one of them had
};

}  // namespace superd
