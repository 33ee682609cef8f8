#pragma once

#include <string>

#include "superd/net/socket.h"

namespace superd {

/// A file with our process's number, locked as long as we live: a second superd with the same file does not start, and
/// one that a dead superd left behind is in nobody's way.
class PidFile {
 public:
  PidFile() noexcept = default;
  /// Creates or takes over the file. An error when another process has it locked, which is named.
  static Result<PidFile> create(const std::string& path);
  PidFile(PidFile&& other) noexcept : path_(std::move(other.path_)), file_(std::move(other.file_)) {
    other.path_.clear();
  }
  PidFile& operator=(PidFile&&) = delete;
  /// Removes it.
  ~PidFile();

 private:
  std::string path_;
  Socket file_;
};

}  // namespace superd
