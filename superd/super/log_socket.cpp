// Lines as datagrams: to a local syslogd, and to journald.

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <utility>

#include "superd/base/clock.h"
#include "superd/base/log_line.h"
#include "superd/base/words.h"
#include "superd/super/log_sink.h"

namespace superd {

namespace {

// syslog(3)'s numbers of the facilities, in their order here (RFC 5424, 6.2.1).
constexpr int codes_of_facilities[] = {3, 1, 4, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23};
static_assert(std::size(codes_of_facilities) == std::size(log_facilities));

int code_of(LogFacility facility) noexcept { return codes_of_facilities[std::to_underlying(facility)]; }

int code_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::debug: return 7;
    case Severity::info: return 6;
    case Severity::warning: return 4;
    case Severity::error: break;
  }
  return 3;
}

/// A datagram a line to a socket that may not be there yet, go away and come back.
class SocketSink : public LogSink {
 public:
  explicit SocketSink(std::string path) : path_(std::move(path)) { (void)reach(); }

  void add(const LogEntry& entry) final {
    message_.clear();
    write_message(message_, entry);
    if (!send_message()) ++lost_;
  }
  std::uint64_t flush() final { return std::exchange(lost_, 0); }
  [[nodiscard]] int descriptor() const noexcept final { return socket_.fd(); }

 private:
  virtual void write_message(std::string& to, const LogEntry&) const = 0;

  // Once it has been waited for in vain, every line is tried and none is waited for, until one gets through.
  bool send_message() noexcept {
    for (const Time until = Clock::now() + (is_away_ ? Millis(0) : log_patience);;) {
      if (reach() && send_now()) {
        is_away_ = false;
        return true;
      }
      if (Clock::now() >= until) break;
      pause();
    }
    is_away_ = true;
    return false;
  }

  // What was connected to a socket that is gone stays so, though another one has its name.
  bool reach() noexcept {
    if (socket_.is_open()) return true;
    // As often as a line comes, were it not for this: connect(2) is looked up in the file system.
    if (is_away_ && Clock::now() < next_try_) return false;
    next_try_ = Clock::now() + Millis(200);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    Socket fresh(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fresh.is_open() || connect(fresh.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return false;
    socket_ = std::move(fresh);
    return true;
  }

  bool send_now() noexcept {
    ssize_t size = 0;
    while ((size = send(socket_.fd(), message_.data(), message_.size(), MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 &&
           errno == EINTR) {
    }
    if (size >= 0) return true;
    // Full is a reason to wait; at all else it is looked for anew.
    if (errno != EAGAIN && errno != ENOBUFS) socket_.reset();
    return false;
  }

  void pause() noexcept {
    constexpr Millis brief{20};
    pollfd watched{.fd = socket_.fd(), .events = POLLOUT};
    if (socket_.is_open())
      (void)poll(&watched, 1, static_cast<int>(brief.count()));
    else
      std::this_thread::sleep_for(brief);
  }

  const std::string path_;
  Socket socket_;
  std::string message_;
  std::uint64_t lost_ = 0;
  bool is_away_ = false;
  Time next_try_{};
};

/// As syslog(3) writes them, which is what local syslogds read (RFC 3164, without the host's name).
class SyslogSink final : public SocketSink {
 public:
  SyslogSink(const std::string& path, LogFormat format, LogFacility facility)
      : SocketSink(path), format_(format), facility_(code_of(facility)) {}

 private:
  void write_message(std::string& to, const LogEntry& entry) const override {
    const std::time_t seconds = entry.nanoseconds() / 1'000'000'000;
    std::tm local{};
    localtime_r(&seconds, &local);
    char day[32];
    // In English whatever the locale: superd sets none.
    const auto size = std::strftime(day, sizeof day, "%b %e %H:%M:%S", &local);
    to.append("<").append(std::to_string(facility_ * 8 + code_of(entry.severity()))).append(">");
    to.append(day, size).append(" superd[").append(std::to_string(entry.process())).append("]: ");
    if (format_ == LogFormat::text)
      append_message(to, entry);
    else
      append_json(to, entry);
  }

  const LogFormat format_;
  const int facility_;
};

/// SERVICE of "service", and so on: a journal's names are capital letters, digits and underscores.
std::string journal_name(std::string_view key) {
  std::string name = "SUPERD_";
  for (const char c : key.substr(0, 50)) {
    const bool is_lower = c >= 'a' && c <= 'z', is_right = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_lower ? static_cast<char>(c - 'a' + 'A') : is_right ? c : '_';
  }
  return name;
}

class JournalSink final : public SocketSink {
 public:
  JournalSink(const std::string& path, LogFacility facility) : SocketSink(path), facility_(code_of(facility)) {}

 private:
  void write_message(std::string& to, const LogEntry& entry) const override {
    std::string message;
    append_message(message, entry);
    append_journal_field(to, "MESSAGE", message);
    append_journal_field(to, "PRIORITY", std::to_string(code_of(entry.severity())));
    append_journal_field(to, "SYSLOG_FACILITY", std::to_string(facility_));
    append_journal_field(to, "SYSLOG_IDENTIFIER", "superd");
    append_journal_field(to, "SYSLOG_PID", std::to_string(entry.process()));
    append_journal_field(to, "SUPERD_EVENT", escaped(entry.event()));
    entry.each_field([&to](const LogField& field) {
      const auto* number = std::get_if<std::int64_t>(&field.value);
      const auto value =
          number ? std::to_string(*number) : escaped(std::get<std::string_view>(field.value), LogRecord::longest_text);
      append_journal_field(to, journal_name(field.key), value);
    });
  }

  const int facility_;
};

}  // namespace

void append_journal_field(std::string& to, std::string_view name, std::string_view value) {
  to += name;
  if (value.find('\n') == value.npos) {
    to.append("=").append(value).append("\n");
    return;
  }
  to += '\n';
  for (auto size = static_cast<std::uint64_t>(value.size()), byte = std::uint64_t{0}; byte < 8; ++byte)
    to += static_cast<char>(size >> (8 * byte));
  to.append(value).append("\n");
}

std::unique_ptr<LogSink> make_syslog_sink(const std::string& path, LogFormat format, LogFacility facility) {
  return std::make_unique<SyslogSink>(path, format, facility);
}

std::unique_ptr<LogSink> make_journal_sink(const std::string& path, LogFacility facility) {
  return std::make_unique<JournalSink>(path, facility);
}

}  // namespace superd
