#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "superd/base/error.h"
#include "superd/net/socket.h"

namespace superd {

/// A regular file of this machine that is sent somewhere. One thread.
class LocalFile {
 public:
  static Result<LocalFile> open(const std::string& name);

  /// An error, too, when there is less: the file has been cut meanwhile.
  Result<std::vector<std::byte>> read(std::uint64_t offset, std::size_t size);
  [[nodiscard]] Result<std::string> digest();
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] std::int64_t modified() const noexcept { return modified_; }

 private:
  LocalFile(std::string name, Socket file) : name_(std::move(name)), file_(std::move(file)) {}

  std::string name_;
  Socket file_;
  std::uint64_t size_ = 0;
  std::int64_t modified_ = 0;
};

}  // namespace superd
