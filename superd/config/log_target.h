#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "superd/base/error.h"

namespace superd {

/// Where log lines go. A plain value.
struct LogTarget {
  enum class Kind : std::uint8_t { standard_error, syslog, journal, file };

  Kind kind = Kind::standard_error;
  std::string path;  ///< of a file, or of the socket of a syslogd or journald

  /// "stderr", "file:/PATH", "syslog" and "journal"; the latter two listen at well-known places, or, as in
  /// "syslog:/PATH", at another one.
  static Result<LogTarget> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  ///< as parse() reads it

  friend bool operator==(const LogTarget&, const LogTarget&) = default;
};

/// The facilities of syslog(3) that are a server's to use; in the order of `log_facilities`.
enum class LogFacility : std::uint8_t {
  daemon,
  user,
  auth,
  authpriv,
  ftp,
  local0,
  local1,
  local2,
  local3,
  local4,
  local5,
  local6,
  local7
};
constexpr std::string_view log_facilities[] = {"daemon", "user",   "auth",   "authpriv", "ftp",    "local0", "local1",
                                               "local2", "local3", "local4", "local5",   "local6", "local7"};

}  // namespace superd
