#pragma once

#include <array>
#include <csignal>
#include <cstddef>
#include <span>

#include "superd/base/clock.h"
#include "superd/base/log_pipe.h"
#include "superd/super/log_sink.h"

namespace superd {

/// The log process from inside. Reads records until nobody can write any more, or until it is told to stop.
class LogWriterProcess {
 public:
  /// Ends it at the end of a record, in favour of the next one. No signal that a terminal or a service manager sends.
  static int stop_signal() noexcept { return SIGRTMIN; }

  /// `pipe` is a reading end that does not block. `earlier` are pidfds of those that may read it still; they have been told
  /// to stop, and are killed when they do not.
  LogWriterProcess(int pipe, std::span<const int> earlier, const LogSinks& sinks, LogBoard& board) noexcept
      : pipe_(pipe), earlier_(earlier), sinks_(sinks), board_(board) {}

  /// Forgets all that it has inherited but these, and its rights, and begins. Returns at the end.
  void run();

 private:
  void confine() const;
  void await_earlier() const noexcept;
  void wait() noexcept;
  bool read_more() noexcept;
  void write_records();
  void add(const LogEntry&);
  [[nodiscard]] bool has_losses() const noexcept;
  void tell_losses();

  const int pipe_;
  const std::span<const int> earlier_;
  const LogSinks& sinks_;
  LogBoard& board_;
  int stop_ = -1;
  bool is_told_ = false;  ///< to stop
  bool rests_ = false;    ///< before the next turn
  Time told_at_{};        ///< of losses, the last time
  std::size_t filled_ = 0;
  std::size_t missing_ = 0;  ///< of a record that has begun in the buffer
  std::array<char, 65'536> buffer_;
};

}  // namespace superd
