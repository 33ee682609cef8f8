#include "superd/super/log_writer_process.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "superd/base/clock.h"
#include "superd/engines/poll_timeout.h"

namespace superd {

namespace {

constexpr Seconds between_tellings{1};

int descriptor_of_signal(int signal) noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

void LogWriterProcess::run() {
  stop_ = descriptor_of_signal(stop_signal());
  await_predecessor();
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
void LogWriterProcess::await_predecessor() const noexcept {
  if (predecessor_ < 0) return;
  constexpr Millis patience = 5 * log_patience, last_patience = log_patience;
  pollfd watched{.fd = predecessor_, .events = POLLIN};
  if (poll(&watched, 1, static_cast<int>(patience.count())) > 0) return;
  (void)syscall(SYS_pidfd_send_signal, predecessor_, SIGKILL, nullptr, 0);
  (void)poll(&watched, 1, static_cast<int>(last_patience.count()));
}

// Until there is something to read, or to do.
void LogWriterProcess::wait() noexcept {
  pollfd watched[] = {
      {.fd = pipe_, .events = POLLIN},
      {.fd = stop_, .events = POLLIN}
  };
  constexpr Millis pause = between_tellings;
  poll_until(watched, has_losses() ? Clock::now() + pause : never);
  if (watched[1].revents) is_told_ = true;
}

/// False when nobody can write any more.
bool LogWriterProcess::read_more() noexcept {
  const auto room = is_told_ ? missing_ : buffer_.size() - filled_;
  ssize_t size = 0;
  while ((size = read(pipe_, buffer_.data() + filled_, room)) < 0 && errno == EINTR) {
  }
  if (size < 0) return errno == EAGAIN;
  filled_ += static_cast<std::size_t>(size);
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
