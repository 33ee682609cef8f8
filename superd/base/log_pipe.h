#pragma once

#include <atomic>
#include <cstdint>

#include "superd/base/counter.h"
#include "superd/base/log.h"
#include "superd/base/shared_memory.h"

namespace superd {

/// What all processes of one superd know of their log, in memory that they share. Zeroed memory is the initial state.
struct LogBoard {
  std::atomic<Severity> least;
  std::atomic<bool> has_writer;
  Counter written;    ///< lines that the log process has given to every sink
  Counter dropped;    ///< lines that found the pipe full
  Counter unwritten;  ///< lines that a sink did not take: disk full, nobody reads, no syslogd; once for each such sink
  Counter told_dropped, told_unwritten;  ///< of the two above, what the log itself has told
};

/// From now on, and in processes that are forked later, lines go into this pipe, whose writing end must not block
/// (O_NONBLOCK) and stays the caller's, while `board.has_writer`. Before threads begin.
void set_log_pipe(int writing_end, LogBoard& board) noexcept;
/// To stderr again. The board may go after that.
void leave_log_pipe() noexcept;

/// The writing end, or -1: a process that closes what it has inherited keeps it.
[[nodiscard]] int log_pipe() noexcept;
/// What is known, of this process alone where there is no pipe.
[[nodiscard]] LogBoard& log_board() noexcept;

}  // namespace superd
