#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "superd/base/error.h"
#include "superd/base/histogram.h"
#include "superd/base/shared_memory.h"
#include "superd/serve/conversation_log.h"
#include "superd/serve/counters.h"
#include "superd/serve/kernel_drops.h"
#include "superd/serve/program_totals.h"
#include "superd/serve/rate_table.h"
#include "superd/serve/seat_counts.h"
#include "superd/serve/worker_rows.h"

namespace superd {

/// All that is known of one service while it is served, in memory shared by the processes that serve it: written by
/// their threads as they work, mostly without locks, and read by whoever shows it, at no cost to them.
class Scoreboard {
 public:
  /// A new one, of nobody and with nothing counted.
  explicit Scoreboard(const std::string& service);
  /// The one that another process has made, as it is. An error when it is none, or another version's.
  [[nodiscard]] static Result<std::shared_ptr<const Scoreboard>> attach(int descriptor);

  /// Which one it is, in whatever process.
  [[nodiscard]] std::uint64_t id() const noexcept { return contents_.id; }
  /// To be handed to other processes; -1: only those forked from here can have it.
  [[nodiscard]] int fd() const noexcept { return memory_.fd(); }

  /// All processes that served here have died, at whatever they were doing: nobody is seated or at work any more, and
  /// no lock is held. What was counted stays. `crashed` grows by the conversations that were lost, which are returned.
  /// Whoever calls knows that none of them lives, for it would write on.
  int forget_the_dead() const noexcept;

  [[nodiscard]] Counters& counters() const noexcept { return contents_.counters; }
  /// From being taken in until the handler begins.
  [[nodiscard]] Histogram& waited() const noexcept { return contents_.waited; }
  /// From there to the end of the conversation.
  [[nodiscard]] Histogram& served_in() const noexcept { return contents_.served_in; }
  [[nodiscard]] WorkerRows& workers() const noexcept { return contents_.workers; }
  /// Of programs that have ended.
  [[nodiscard]] ProgramTotals& programs() const noexcept { return contents_.programs; }

  // For the Level, the AnswerGuard and the Admission of the service.
  [[nodiscard]] SeatCounts& seats() const noexcept { return contents_.seats; }
  [[nodiscard]] RateTable& answers() const noexcept { return contents_.answers; }
  [[nodiscard]] RateTable& connections() const noexcept { return contents_.connections; }

  [[nodiscard]] ConversationLog& log() const noexcept { return contents_.log; }
  [[nodiscard]] KernelDrops& kernel_drops() const noexcept { return contents_.kernel_drops; }

 private:
  // Zeroed memory is the initial state of all that has no begin().
  struct Contents {
    Counters counters;
    ProgramTotals programs;
    WorkerRows workers;
    Histogram waited, served_in;
    RateTable answers, connections;
    SeatCounts seats;
    KernelDrops kernel_drops;
    alignas(64) ConversationLog log;  // read by each conversation: not beside what each of them writes
    std::uint64_t id;
  };

  explicit Scoreboard(SharedMemory memory) noexcept : memory_(std::move(memory)), contents_(memory_.as<Contents>()) {}

  SharedMemory memory_;
  Contents& contents_;
};

}  // namespace superd
