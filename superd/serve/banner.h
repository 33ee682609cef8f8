#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "superd/base/watched_file.h"

namespace superd {

/// What a client is sent unasked: a text, or what a file holds ("@/etc/superd/welcome"). Thread-safe.
class Banner {
 public:
  static constexpr std::size_t longest = 4096;

  /// None.
  Banner() = default;
  /// An error when the file cannot be read or is longer than `longest`; unless it may be missing, which is logged: then
  /// there is no banner until it can be read.
  static Result<std::unique_ptr<Banner>> make(std::string_view value, bool may_be_missing = false);

  [[nodiscard]] bool has_file() const noexcept { return file_ != nullptr; }
  /// Reads the file again when it has changed; what cannot be read is logged and changes nothing.
  void refresh() noexcept;

  /// Writes it to a connection that was accepted just now: what its buffer takes at once, and no more. How many bytes.
  std::size_t send_to(int fd) const noexcept;

 private:
  Result<> read();
  void note_failure(const std::string& why, std::string_view then);

  mutable std::mutex mutex_;
  std::string text_;
  std::unique_ptr<WatchedFile> file_;
  std::mutex refreshing_;
  std::string failure_;  // that was logged already
};

}  // namespace superd
