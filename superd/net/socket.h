#pragma once

#include <utility>

#include "superd/base/error.h"

namespace superd {

/// Sole owner of a descriptor: the constructor takes it, the destructor closes it. Moving leaves an empty Socket.
/// One thread at a time.
class [[nodiscard]] Socket {
 public:
  Socket() noexcept = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Socket() { reset(); }

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

  /// Makes the coming close a reset (RST) instead of an orderly end, so that a refused client knows at once.
  void close_with_reset() noexcept;

 private:
  int fd_ = -1;
};

/// Opens /dev/null on those of the descriptors 0, 1 and 2 that are closed, so that no socket becomes the one that
/// somebody's message is written to. Call it first in main(), before there are threads.
[[nodiscard]] Result<> fill_standard_descriptors();

}  // namespace superd
