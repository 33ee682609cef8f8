#include "superd/super/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <new>

#include "superd/base/log.h"
#include "superd/super/log_writer_process.h"

namespace superd {

namespace {

// As much as who is no superuser may have (pipe-max-size, pipe(7)), and thousands of lines.
constexpr int most_in_pipe = 1 << 20;
// Between the death of one that had hardly begun and the next one.
constexpr Seconds back_off{1};
// Who asks faster than they end has to wait.
constexpr std::size_t most_replaced = 8;

void make_roomy(int pipe) noexcept {
  for (int size = most_in_pipe; size > PIPE_BUF; size /= 2)
    if (fcntl(pipe, F_SETPIPE_SZ, size) >= 0) return;
}

/// Blocks the signal that stops a log process, so that the next one is born with it blocked, whenever it is told.
class StopSignalBlocked {
 public:
  StopSignalBlocked() noexcept {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, LogWriterProcess::stop_signal());
    pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  StopSignalBlocked(const StopSignalBlocked&) = delete;
  StopSignalBlocked& operator=(const StopSignalBlocked&) = delete;
  ~StopSignalBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

LogSettings log_settings_of(const ServiceTable& table) {
  return {.format = table.log_format, .facility = table.log_facility, .to = table.log_to};
}

LogWriter::LogWriter(const LogSettings& settings, Socket reading, Socket writing)
    : owner_(getpid()),
      settings_(settings),
      memory_("superd log", sizeof(LogBoard)),
      board_(memory_.as<LogBoard>()),
      reading_(std::move(reading)),
      writing_(std::move(writing)) {}

Result<std::unique_ptr<LogWriter>> LogWriter::start(const LogSettings& settings) {
  auto sinks = open_log_sinks(settings);
  if (!sinks) return std::unexpected(sinks.error());
  // Its own, which nobody is handed: that it does not block is nobody else's trouble.
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return system_error("make the pipe of the log");
  make_roomy(ends[1]);
  std::unique_ptr<LogWriter> writer(new LogWriter(settings, Socket(ends[0]), Socket(ends[1])));
  if (auto launched = writer->launch(std::move(*sinks)); !launched) return std::unexpected(launched.error());
  set_log_pipe(writer->writing_.fd(), writer->board_);
  return writer;
}

LogWriter::~LogWriter() { end(2 * log_patience); }

Result<> LogWriter::change(const LogSettings& wanted) {
  if (wanted == settings_) return {};
  auto sinks = open_log_sinks(wanted);
  if (!sinks) return std::unexpected(sinks.error());
  auto launched = launch(std::move(*sinks));
  if (launched) settings_ = wanted;
  return launched;
}

Result<> LogWriter::reopen() {
  auto sinks = open_log_sinks(settings_);
  if (!sinks) return std::unexpected(sinks.error());
  return launch(std::move(*sinks));
}

Result<> LogWriter::launch(LogSinks sinks) noexcept try {
  if (replaced_.size() >= most_replaced) return error("earlier log processes have not ended yet: try again later");
  replaced_.reserve(most_replaced);
  const StopSignalBlocked blocked;
  const pid_t child = fork();
  if (child < 0) return system_error("fork the log process");
  if (child == 0) live(sinks);
  if (is_there()) {
    ::kill(process_.id, LogWriterProcess::stop_signal());
    replaced_.push_back(std::move(process_));
  }
  process_ = {child, Socket(static_cast<int>(syscall(SYS_pidfd_open, child, 0)))};
  started_ = Clock::now();
  due_ = never;
  board_.has_writer = true;
  return {};
} catch (const std::bad_alloc&) {
  return system_error("fork the log process", ENOMEM);
}

// In the new process.
void LogWriter::live(const LogSinks& sinks) noexcept {
  leave_log_pipe();
  writing_.reset();
  std::vector<int> earlier;
  if (is_there()) earlier.push_back(process_.handle.fd());
  for (const auto& process : replaced_) earlier.push_back(process.handle.fd());
  LogWriterProcess(reading_.fd(), earlier, sinks, board_).run();
  _exit(0);
}

void LogWriter::reap() noexcept {
  const auto has_ended = [](const Process& process) {
    const pid_t waited = waitpid(process.id, nullptr, WNOHANG);
    return waited == process.id || (waited < 0 && errno == ECHILD);
  };
  std::erase_if(replaced_, has_ended);
  if (is_there() && has_ended(process_)) (void)ended(process_.id);
}

bool LogWriter::ended(pid_t process) noexcept {
  if (std::erase_if(replaced_, [=](const Process& one) { return one.id == process; }) > 0) return true;
  if (!is_there() || process != process_.id) return false;
  process_ = {-1, {}};
  const Time now = Clock::now();
  due_ = now < started_ + back_off ? now + back_off : now;
  tend();
  return true;
}

void LogWriter::tend() noexcept try {
  if (is_there() || !writing_.is_open() || Clock::now() < due_) return;
  if (const auto launched = reopen(); !launched) {
    // Better there than nowhere, where somebody may look.
    board_.has_writer = false;
    due_ = Clock::now() + back_off;
    log_event(Severity::error, "log process not started",
              {
                  {"why",  launched.error().what           },
                  {"then", "lines go to stderr until it is"}
    });
    return;
  }
  log_event(Severity::warning, "log process started anew",
            {
                {"process", process_.id}
  });
} catch (const std::bad_alloc&) {
  due_ = Clock::now() + back_off;
}

void LogWriter::end(Millis patience) noexcept {
  if (getpid() != owner_ || !writing_.is_open()) return;
  leave_log_pipe();
  writing_.reset();
  reading_.reset();
  due_ = never;
  pollfd watched{.fd = process_.handle.fd(), .events = POLLIN};
  if (is_there()) (void)poll(&watched, 1, static_cast<int>(patience.count()));
  if (is_there()) (void)waitpid(process_.id, nullptr, WNOHANG);
  for (const auto& process : replaced_) (void)waitpid(process.id, nullptr, WNOHANG);
  process_ = {-1, {}};
}

}  // namespace superd
