#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/log_pipe.h"
#include "superd/config/service_table.h"
#include "superd/net/socket.h"
#include "superd/super/log_sink.h"

namespace superd {

/// The log process, as its parent has it: `superd:log`, which reads what all processes of a superd write into one pipe,
/// and writes it to the sinks, blocking as it likes, so that nobody else does.
///
/// It is replaced when the sinks shall be others, or the same ones opened anew, and when it has died. Lines wait in the
/// pipe meanwhile, up to a megabyte, and the next one begins to read when the last one has ended at the end of a record:
/// none is lost or torn. What it was about to write when somebody killed it is lost, 64 KiB at most.
///
/// It opens nothing itself: the parent does, with the rights that it has, and tells why when it cannot. So the log process
/// needs no rights, and drops all it had (capabilities, and gaining any). It keeps the user, lest programs that run
/// as some unprivileged user could stop or kill it.
///
/// One thread makes the calls, in a process that has no other, or none that is in the middle of something that a
/// forked child needs.
class LogWriter {
 public:
  /// Makes the pipe and the process; from then on this process and those that it forks log through it (set_log_pipe()).
  /// To be called first of all, after the standard descriptors are there and before SIGPIPE could end somebody
  /// (prepare_process()). An error when a sink cannot be opened: nothing has changed then.
  static Result<std::unique_ptr<LogWriter>> start(const LogSettings& settings);
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  /// As end() with a patience of two seconds.
  ~LogWriter();

  /// Other sinks from now on; nothing is done when they are the same. On an error all stays as it was.
  Result<> change(const LogSettings& wanted);
  /// The same sinks, opened anew: after a rotation (SIGUSR1).
  Result<> reopen();

  /// After SIGCHLD, by a parent that reaps this child alone.
  void reap() noexcept;
  /// The same by one that reaps all its children: true when it was this one, or an earlier one.
  bool ended(pid_t process) noexcept;
  /// One that has died is replaced at once, and when that one died soon, after a second. To be called at next_tending().
  void tend() noexcept;
  [[nodiscard]] Time next_tending() const noexcept { return due_; }

  /// Waits until the last line is written, which is when all other processes that wrote lines have ended, but for
  /// `patience` at most: the log process goes on alone then. What this process logs after that goes to stderr. Nothing is
  /// done in a process that was forked with it.
  void end(Millis patience) noexcept;

  /// -1 while there is none.
  [[nodiscard]] pid_t pid() const noexcept { return process_.id; }

 private:
  LogWriter(const LogSettings& settings, Socket reading, Socket writing);
  Result<> launch(LogSinks sinks) noexcept;
  [[noreturn]] void live(const LogSinks& sinks) noexcept;

  const pid_t owner_;
  LogSettings settings_;
  SharedMemory memory_;
  LogBoard& board_;
  Socket reading_, writing_;
  struct Process {
    pid_t id;
    Socket handle;  // pidfd
  };
  [[nodiscard]] bool is_there() const noexcept { return process_.id > 0; }

  Process process_{-1, {}};
  std::vector<Process> replaced_;  // not reaped yet
  Time started_{}, due_ = never;
};

/// What a table says of the log.
[[nodiscard]] LogSettings log_settings_of(const ServiceTable&);

}  // namespace superd
