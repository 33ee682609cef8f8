#pragma once

#include <array>
#include <csignal>
#include <cstddef>

#include "superd/base/clock.h"
#include "superd/base/log_pipe.h"
#include "superd/super/log_sink.h"

namespace superd {

/// The log process from inside. Reads records until nobody can write any more, or until it is told to stop.
class LogWriterProcess {
 public:
  /// Ends it at the end of a record, in favour of the next one. No signal that a terminal or a service manager sends.
  static int stop_signal() noexcept { return SIGRTMIN; }

  /// `pipe` is a reading end that does not block. `predecessor` is the pidfd of the one that reads it still, or -1; it
  /// has been told to stop, and is killed when it does not.
  LogWriterProcess(int pipe, int predecessor, const LogSinks& sinks, LogBoard& board) noexcept
      : pipe_(pipe), predecessor_(predecessor), sinks_(sinks), board_(board) {}

  void run();

 private:
  void await_predecessor() const noexcept;
  void wait() noexcept;
  bool read_more() noexcept;
  void write_records();
  void add(const LogEntry&);
  [[nodiscard]] bool has_losses() const noexcept;
  void tell_losses();

  const int pipe_, predecessor_;
  const LogSinks& sinks_;
  LogBoard& board_;
  int stop_ = -1;
  bool is_told_ = false;  ///< to stop
  Time told_at_{};        ///< of losses, the last time
  std::size_t filled_ = 0;
  std::size_t missing_ = 0;  ///< of a record that has begun in the buffer
  std::array<char, 65'536> buffer_;
};

}  // namespace superd
