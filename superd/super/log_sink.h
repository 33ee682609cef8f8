#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/error.h"
#include "superd/base/log_record.h"
#include "superd/config/log_target.h"
#include "superd/net/socket.h"

namespace superd {

/// What the lines of a log look like, and where they go.
struct LogSettings {
  LogFormat format = LogFormat::text;
  LogFacility facility = LogFacility::daemon;
  std::vector<LogTarget> to{LogTarget{}};

  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

/// A place that the log process writes lines to. One thread. It may block, but never for ever: who takes nothing for
/// `log_patience` is written to again as soon as there is room, and until then what it does not take is lost to it.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void add(const LogEntry&) = 0;
  /// At the end of what has come in one go. Returns how many lines were lost since the last time.
  virtual std::uint64_t flush() { return 0; }
  /// What it has open, 2 for stderr; or -1.
  [[nodiscard]] virtual int descriptor() const noexcept = 0;
};

using LogSinks = std::vector<std::unique_ptr<LogSink>>;

/// Opens all places; what cannot be opened is an error that says which, and why. A syslogd or journald that is not there
/// yet is none: it is tried again.
[[nodiscard]] Result<LogSinks> open_log_sinks(const LogSettings&);

/// Of one kind each.
[[nodiscard]] std::unique_ptr<LogSink> make_stream_sink(Socket file, LogFormat format);  ///< stderr where it is empty
[[nodiscard]] Result<Socket> open_log_file(const std::string& path);
[[nodiscard]] std::unique_ptr<LogSink> make_syslog_sink(const std::string& path, LogFormat format,
                                                        LogFacility facility);
[[nodiscard]] std::unique_ptr<LogSink> make_journal_sink(const std::string& path, LogFacility facility);

/// One message of the journal's native protocol: a field a line, or, where its value has a newline, the name alone, eight
/// bytes of length, and the value (systemd, "Native Journal Protocol").
void append_journal_field(std::string& to, std::string_view name, std::string_view value);

/// How long somebody who takes nothing is waited for. Long enough for a restart of syslogd, short enough that superd's end,
/// which waits for the last lines, does not seem to hang.
constexpr Millis log_patience{1'000};

}  // namespace superd
