#include "superd/super/log_writer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/process.h"
#include "superd/engines/poll_timeout.h"
#include "superd/super/privileges.h"

namespace superd {

namespace {

constexpr Seconds between_tellings{1};

// Whoever waits for the end of superd's output shall not wait for the log process too, unless it writes there.
void leave_standard_streams(bool keeps_stderr) noexcept {
  const Socket nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nowhere.is_open()) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) dup2(nowhere.fd(), fd);
  if (!keeps_stderr) dup2(nowhere.fd(), STDERR_FILENO);
}

}  // namespace

void LogWriterProcess::confine() const {
  name_process("superd:log");
  forget_signal_handlers();
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, stop_signal());
  sigprocmask(SIG_SETMASK, &stop, nullptr);
  std::vector<int> kept(earlier_.begin(), earlier_.end());
  kept.push_back(pipe_);
  for (const auto& sink : sinks_) kept.push_back(sink->descriptor());
  keep_descriptors(kept);
  leave_standard_streams(std::ranges::find(kept, STDERR_FILENO) != kept.end());
  // What has a descriptor already needs no rights; who has none to drop loses none.
  (void)drop_privileges(std::nullopt);
}

void LogWriterProcess::run() {
  confine();
  stop_ = signal_descriptor({stop_signal()});
  await_earlier();
  // Told to stop, it leaves all but the rest of a record that it has begun to whoever comes next.
  for (bool is_open = true; is_open && (!is_told_ || missing_ > 0);) {
    wait();
    if (is_told_ && missing_ == 0) break;
    is_open = read_more();
    write_records();
    if (has_losses() && Clock::now() >= told_at_ + between_tellings) tell_losses();
  }
  if (has_losses()) tell_losses();
}

// One that hangs in a sink does so in the kernel: it has read its last record, and what is left of it is killed.
void LogWriterProcess::await_earlier() const noexcept {
  const Time until = Clock::now() + 5 * log_patience;
  for (const int process : earlier_) {
    pollfd watched{.fd = process, .events = POLLIN};
    const auto left = std::max(std::chrono::ceil<Millis>(until - Clock::now()), Millis(0));
    if (poll(&watched, 1, static_cast<int>(left.count())) > 0) continue;
    (void)syscall(SYS_pidfd_send_signal, process, SIGKILL, nullptr, 0);
    (void)poll(&watched, 1, static_cast<int>(log_patience.count()));
  }
}

// Until there is something to read, or to do.
void LogWriterProcess::wait() noexcept {
  pollfd watched[] = {
      {.fd = stop_, .events = POLLIN},
      {.fd = pipe_, .events = POLLIN}
  };
  // One line is seldom alone: to be woken for each costs several times what the line does.
  constexpr Millis rest{2};
  if (std::exchange(rests_, false)) (void)poll(watched, 1, static_cast<int>(rest.count()));
  constexpr Millis pause = between_tellings;
  if (!watched[0].revents) poll_until(watched, has_losses() ? Clock::now() + pause : never);
  if (watched[0].revents) is_told_ = true;
}

/// False when nobody can write any more.
bool LogWriterProcess::read_more() noexcept {
  const auto room = is_told_ ? missing_ : buffer_.size() - filled_;
  ssize_t size = 0;
  while ((size = read(pipe_, buffer_.data() + filled_, room)) < 0 && errno == EINTR) {
  }
  if (size < 0) return errno == EAGAIN;
  filled_ += static_cast<std::size_t>(size);
  // A full buffer is batch enough.
  rests_ = size > 0 && filled_ < buffer_.size();
  return size > 0;
}

void LogWriterProcess::write_records() {
  std::span<const char> rest(buffer_.data(), filled_);
  LogEntry::Read record;
  while (!rest.empty() && (record = LogEntry::read(rest)).size > 0) {
    if (record.entry)
      add(*record.entry);
    else
      board_.unwritten.add();
    rest = rest.subspan(record.size);
  }
  missing_ = rest.empty() ? 0 : record.missing;
  std::memmove(buffer_.data(), rest.data(), rest.size());
  filled_ = rest.size();
  for (const auto& sink : sinks_) board_.unwritten.add(sink->flush());
}

void LogWriterProcess::add(const LogEntry& entry) {
  for (const auto& sink : sinks_) sink->add(entry);
  board_.written.add();
}

bool LogWriterProcess::has_losses() const noexcept {
  return board_.dropped.value() > board_.told_dropped.value() ||
         board_.unwritten.value() > board_.told_unwritten.value();
}

// Told, once a sink has taken it. That others do not is no new loss.
void LogWriterProcess::tell_losses() {
  told_at_ = Clock::now();
  const auto dropped = board_.dropped.value(), unwritten = board_.unwritten.value();
  const LogField fields[] = {
      {"dropped",   dropped - board_.told_dropped.value()    },
      {"unwritten", unwritten - board_.told_unwritten.value()},
  };
  const LogRecord record(Severity::warning, "log lines lost", fields);
  bool is_told = false;
  for (const auto& sink : sinks_) {
    sink->add(LogEntry(record));
    if (sink->flush() == 0) is_told = true;
  }
  if (!is_told) return;
  board_.told_dropped.raise_to(dropped);
  board_.told_unwritten.raise_to(unwritten);
}

}  // namespace superd
