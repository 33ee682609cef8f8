#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "superd/base/error.h"

namespace superd {

/// Where a file is: "fsp://[PASSWORD@]HOST[:PORT]/PATH" (as its PROTOCOL document has it), or
/// "tftp://HOST[:PORT]/PATH[;mode=octet]" (RFC 3617). An IPv6 address stands in brackets, and %XX is a byte of the path.
struct FileUrl {
  enum class Scheme : std::uint8_t { fsp, tftp };

  Scheme scheme{};
  std::string password;
  std::string host;
  std::uint16_t port = 0;
  std::string path;  ///< without the slash at its beginning

  [[nodiscard]] std::string text() const;  ///< for people: without the password
  /// What is behind the last slash, or empty.
  [[nodiscard]] std::string_view last_part() const noexcept;

  /// An error says what would be right.
  static Result<FileUrl> parse(std::string_view text);
  friend bool operator==(const FileUrl&, const FileUrl&) = default;
};

}  // namespace superd
