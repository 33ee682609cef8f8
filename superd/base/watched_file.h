#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <utility>

#include "superd/base/error.h"

namespace superd {

/// A file that others write and that we want to know as it is. One thread at a time.
class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// One stat(2): is it another one than was read last, or may it be? True as well when it cannot be told.
  [[nodiscard]] bool has_changed() const noexcept;

  /// All of it; an error when it is no regular file, or longer than `most`. Either way it is known from now on, and has
  /// changed only when it is another one again.
  Result<std::string> read(std::size_t most);

 private:
  struct Stamp {
    dev_t device;
    ino_t file;
    off_t size;
    timespec modified, changed;
  };
  static Stamp stamp_of(const struct stat&) noexcept;
  static bool are_equal(const Stamp&, const Stamp&) noexcept;

  std::string path_;
  Stamp seen_{};
  // So young when it was read that a later change may bear the same time.
  bool was_fresh_ = true;
};

}  // namespace superd
