#pragma once

#include <pthread.h>

#include <atomic>
#include <memory>
#include <vector>

#include "superd/serve/hosted_service.h"

namespace superd {

/// Whoever serves a service: a thread, a process, or a loop with many conversations at once. Its row on the scoreboard
/// is its own from construction to destruction; where no row is free, all of this does nothing.
///
/// Any thread may call, for a loop can change hands while a conversation is under way. The scoreboard lives as long.
class Worker {
 public:
  explicit Worker(HostedService&) noexcept;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// It stands at a door, or at one more; or at one less.
  void open_door() noexcept;
  void leave_door() noexcept;

  /// A conversation begins or ends, `now`.
  void begin(const ClientKey& client, Time now) noexcept;
  void end(Time now) noexcept;

  [[nodiscard]] bool has_row() const noexcept { return row_ != nullptr; }
  /// Neither at a door nor with a client; with a row.
  [[nodiscard]] bool is_idle() const noexcept;

 private:
  const std::shared_ptr<const Scoreboard> board_;
  WorkerRows& rows_;
  WorkerRows::Row* const row_;
  std::atomic<pthread_t> thread_{};  // whose id the row tells
};

/// The rows of one thread or loop: one at each service that it serves.
class Workers {
 public:
  /// Null when there is no row, or no memory, for one. As Placement::place(), called by who has the door.
  Worker* of(HostedService&) noexcept;
  /// Those of services that it serves no more, at doors or in conversations. Called as of(), outside of both.
  void forget_idle() noexcept;

 private:
  struct Entry {
    std::uint64_t board;  // its id
    std::unique_ptr<Worker> worker;
  };
  std::vector<Entry> entries_;
};

}  // namespace superd
