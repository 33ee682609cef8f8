#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"

namespace superd {

/// What each worker of a service does: a row a worker (serve/worker.h) or program that runs (serve/program_row.h), in
/// memory that processes share. Zeroed memory has none. A row is claimed and given up by one compare-and-swap, and
/// written by whoever claimed it alone.
class WorkerRows {
 public:
  /// Far more than processors keep busy. Workers beyond are not shown, and counted (rows_full).
  static constexpr std::size_t size = 512;

  enum class State : std::uint8_t {
    idle,     ///< neither at a door nor with a client
    waiting,  ///< for a client
    serving,
  };

  /// A row as somebody reads it.
  struct View {
    State state;
    pid_t process, thread;
    pid_t program;            ///< that `process` has started; 0: it is a worker of ours
    ClientKey client;         ///< the one whose conversation began last
    Time since;               ///< when that was, or when one ended later
    std::uint64_t served;     ///< conversations that have ended
    std::uint64_t under_way;  ///< conversations; more than one in a loop
  };
  /// Any thread or process: what each worker did at one moment, more or less; a client and its time belong together.
  [[nodiscard]] std::vector<View> snapshot() const;

  /// Gives up the rows of a process that has died; 0: those of all other processes.
  void release_process(pid_t process) noexcept;

 private:
  friend class Worker;
  friend class ProgramRow;

  // A line of the cache each: no worker waits for what another one writes.
  struct alignas(64) Row {
    std::atomic<pid_t> process;  // 0: the row is free
    std::atomic<pid_t> thread;
    std::atomic<pid_t> program;
    std::atomic<int> doors;
    std::atomic<Time> since;
    std::atomic<std::uint64_t> client_high, client_low;
    std::atomic<std::uint64_t> begun, ended;

    [[nodiscard]] View view() const noexcept;
    void begin(const ClientKey& client, Time now) noexcept;
    void begin(pid_t started, const ClientKey& client, Time now) noexcept;
  };
  static_assert(sizeof(Row) == 64);

  Row* claim() noexcept;  ///< null: all are taken
  void release(Row&) noexcept;

  std::atomic<std::uint32_t> next_;  // where a free one is likely
  std::array<Row, size> rows_;
};

}  // namespace superd
