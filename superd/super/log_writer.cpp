#include "superd/super/log_writer.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <new>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/super/log_writer_process.h"

namespace superd {

namespace {

// As much as who is no superuser may have (pipe-max-size, pipe(7)), and thousands of lines.
constexpr int most_in_pipe = 1 << 20;
// Between the death of one that had hardly begun and the next one.
constexpr Seconds back_off{1};

void make_roomy(int pipe) noexcept {
  for (int size = most_in_pipe; size > PIPE_BUF; size /= 2)
    if (fcntl(pipe, F_SETPIPE_SZ, size) >= 0) return;
}

// What has a descriptor already needs no rights. No error: without capabilities there is nothing to drop.
void drop_privileges() noexcept {
  for (unsigned long one = 0; prctl(PR_CAPBSET_DROP, one, 0, 0, 0) == 0; ++one) continue;
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {};
  (void)syscall(SYS_capset, &header, nothing);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// Whoever waits for the end of superd's output shall not wait for the log process too, unless it writes there.
void leave_standard_streams(bool keeps_stderr) noexcept {
  const Socket nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nowhere.is_open()) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) dup2(nowhere.fd(), fd);
  if (!keeps_stderr) dup2(nowhere.fd(), STDERR_FILENO);
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
    : settings_(settings),
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
  replaced_.reserve(replaced_.size() + 1);
  const StopSignalBlocked blocked;
  const pid_t child = fork();
  if (child < 0) return system_error("fork the log process");
  if (child == 0) live(sinks);
  if (process_ > 0) {
    replaced_.push_back(process_);
    ::kill(process_, LogWriterProcess::stop_signal());
  }
  process_ = child;
  handle_.reset(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  started_ = Clock::now();
  due_ = never;
  board_.has_writer = true;
  return {};
} catch (const std::bad_alloc&) {
  return system_error("fork the log process", ENOMEM);
}

// In the new process. `handle_` is its predecessor's here.
void LogWriter::live(const LogSinks& sinks) noexcept {
  leave_log_pipe();
  writing_.reset();
  name_process("superd:log");
  forget_signal_handlers();
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, LogWriterProcess::stop_signal());
  sigprocmask(SIG_SETMASK, &stop, nullptr);
  std::vector<int> kept{reading_.fd(), handle_.fd()};
  for (const auto& sink : sinks) kept.push_back(sink->descriptor());
  keep_descriptors(kept);
  leave_standard_streams(std::ranges::find(kept, STDERR_FILENO) != kept.end());
  drop_privileges();
  LogWriterProcess(reading_.fd(), handle_.fd(), sinks, board_).run();
  _exit(0);
}

void LogWriter::reap() noexcept {
  const auto has_ended = [](pid_t process) {
    const pid_t waited = waitpid(process, nullptr, WNOHANG);
    return waited == process || (waited < 0 && errno == ECHILD);
  };
  std::erase_if(replaced_, has_ended);
  if (process_ > 0 && has_ended(process_)) (void)ended(process_);
}

bool LogWriter::ended(pid_t process) noexcept {
  if (std::erase(replaced_, process) > 0) return true;
  if (process != process_ || process <= 0) return false;
  process_ = -1;
  handle_.reset();
  const Time now = Clock::now();
  due_ = now < started_ + back_off ? now + back_off : now;
  tend();
  return true;
}

void LogWriter::tend() noexcept try {
  if (process_ > 0 || !writing_.is_open() || Clock::now() < due_) return;
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
                {"process", process_}
  });
} catch (const std::bad_alloc&) {
  due_ = Clock::now() + back_off;
}

void LogWriter::end(Millis patience) noexcept {
  if (!writing_.is_open()) return;
  leave_log_pipe();
  writing_.reset();
  reading_.reset();
  due_ = never;
  pollfd watched{.fd = handle_.fd(), .events = POLLIN};
  if (handle_.is_open()) (void)poll(&watched, 1, static_cast<int>(patience.count()));
  if (process_ > 0) (void)waitpid(process_, nullptr, WNOHANG);
  process_ = -1;
  for (const pid_t process : replaced_) (void)waitpid(process, nullptr, WNOHANG);
}

}  // namespace superd
