#pragma once

#include <cerrno>
#include <expected>
#include <string>

namespace superd {

/// What the world did to us, ready to be shown: what was tried, on what, why it failed, what to do.
/// `code` is the errno behind it, or 0 where there is none.
struct Error {
  std::string what;
  int code = 0;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// An Error for a failed system call: "bind udp 0.0.0.0:37: permission denied". `doing` is what was tried and on what.
[[nodiscard]] std::unexpected<Error> system_error(std::string doing, int code = errno);

/// An Error without errno.
[[nodiscard]] std::unexpected<Error> error(std::string what);

/// The text of an errno value, lower case as our messages are; safe in any thread.
[[nodiscard]] std::string errno_text(int code);

/// For what cannot be: writes the message to stderr and aborts.
[[noreturn]] void broken(const char* message) noexcept;

}  // namespace superd
