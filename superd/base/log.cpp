#include "superd/base/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <string>

#include "superd/base/log_line.h"
#include "superd/base/log_pipe.h"
#include "superd/base/log_record.h"

namespace superd {

namespace {

std::atomic<LogFormat> chosen_format = LogFormat::text;
LogBoard own_board{.least = Severity::info};
std::atomic<LogBoard*> board = &own_board;
std::atomic<int> pipe_end = -1;

bool is_terminal() noexcept {
  static const bool is = isatty(STDERR_FILENO) == 1;
  return is;
}

// One call, so that lines of several threads and processes do not mix. A line that there is no memory for is not worth a
// conversation.
void write_to_stderr(const LogRecord& record) noexcept try {
  std::string line;
  const LogEntry entry(record);
  if (chosen_format == LogFormat::json) {
    append_json(line, entry);
    line += '\n';
  } else {
    append_text_line(line, entry, is_terminal());
  }
  while (write(STDERR_FILENO, line.data(), line.size()) < 0 && errno == EINTR) {
  }
} catch (const std::bad_alloc&) {
}

/// False: it has to go elsewhere, for nobody can read it any more.
bool write_to_pipe(const LogRecord& record) noexcept {
  auto& shared = log_board();
  if (log_pipe() < 0 || !shared.has_writer.load(std::memory_order_relaxed)) return false;
  const auto bytes = record.bytes();
  if (write(log_pipe(), bytes.data(), bytes.size()) >= 0) return true;
  if (errno == EPIPE) return false;
  shared.dropped.add();
  return true;
}

}  // namespace

void set_log(Severity least, LogFormat format) noexcept {
  chosen_format = format;
  log_board().least = least;
}

bool log_enabled(Severity severity) noexcept {
  return severity >= board.load(std::memory_order_relaxed)->least.load(std::memory_order_relaxed);
}

void log_event(Severity severity, std::string_view event, std::span<const LogField> fields) noexcept {
  if (!log_enabled(severity)) return;
  const int kept = errno;
  const LogRecord record(severity, event, fields);
  if (!write_to_pipe(record)) write_to_stderr(record);
  errno = kept;
}

void set_log_pipe(int writing_end, LogBoard& shared) noexcept {
  shared.least = log_board().least.load();
  board = &shared;
  pipe_end = writing_end;
}

void leave_log_pipe() noexcept {
  own_board.least = log_board().least.load();
  pipe_end = -1;
  board = &own_board;
}

int log_pipe() noexcept { return pipe_end.load(std::memory_order_relaxed); }
LogBoard& log_board() noexcept { return *board.load(std::memory_order_relaxed); }

}  // namespace superd
