#pragma once

#include <string>

#include "superd/base/histogram.h"
#include "superd/base/shared_memory.h"
#include "superd/serve/counters.h"
#include "superd/serve/kernel_drops.h"
#include "superd/serve/rate_table.h"
#include "superd/serve/seat_counts.h"
#include "superd/serve/worker_rows.h"

namespace superd {

/// All that is known of one service while it is served, in memory shared by the processes that serve it: written by
/// their threads as they work, mostly without locks, and read by whoever shows it, at no cost to them.
class Scoreboard {
 public:
  explicit Scoreboard(const std::string& service)
      : memory_("superd " + service, sizeof(Contents)), contents_(memory_.as<Contents>()) {}

  [[nodiscard]] Counters& counters() const noexcept { return contents_.counters; }
  /// From being taken in until the handler begins.
  [[nodiscard]] Histogram& waited() const noexcept { return contents_.waited; }
  /// From there to the end of the conversation.
  [[nodiscard]] Histogram& served_in() const noexcept { return contents_.served_in; }
  [[nodiscard]] WorkerRows& workers() const noexcept { return contents_.workers; }

  // For the Level, the AnswerGuard and the Admission of the service.
  [[nodiscard]] SeatCounts& seats() const noexcept { return contents_.seats; }
  [[nodiscard]] RateTable& answers() const noexcept { return contents_.answers; }
  [[nodiscard]] RateTable& connections() const noexcept { return contents_.connections; }

  [[nodiscard]] KernelDrops& kernel_drops() const noexcept { return contents_.kernel_drops; }

 private:
  // Zeroed memory is the initial state of all that has no begin().
  struct Contents {
    Counters counters;
    WorkerRows workers;
    Histogram waited, served_in;
    RateTable answers, connections;
    SeatCounts seats;
    KernelDrops kernel_drops;
  };

  SharedMemory memory_;
  Contents& contents_;
};

}  // namespace superd
