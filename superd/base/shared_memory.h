#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "superd/base/error.h"

namespace superd {

/// Sole owner of memory that begins zeroed and is shared: processes forked from here see it, and whoever is handed its
/// descriptor can map it (memfd_create(2)). Only what is touched costs memory, so that room may be reserved generously.
/// Its size is sealed: nobody who has the descriptor can cut it short under us.
class SharedMemory {
 public:
  SharedMemory() noexcept = default;
  /// `name` is what /proc/PID/maps shows. Where no descriptor is to be had, the memory is one without; where no memory
  /// is, this throws std::bad_alloc as any allocation does.
  SharedMemory(const std::string& name, std::size_t size);
  /// What another process has made, by its descriptor, of which a duplicate is kept. An error when it is not memory of
  /// exactly this size, or could be cut short: nothing is mapped then.
  [[nodiscard]] static Result<SharedMemory> attach(int descriptor, std::size_t size);
  SharedMemory(SharedMemory&& other) noexcept { swap(other); }
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~SharedMemory();

  /// -1: only processes forked from here can see it.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  /// What lies in it; a type for which zeroed memory is a value.
  template <class T>
  [[nodiscard]] T& as() const noexcept {
    static_assert(alignof(T) <= 4096, "a mapping begins at a page");
    if (sizeof(T) > size_) broken("shared memory is smaller than what shall lie in it");
    return *static_cast<T*>(data_);
  }

 private:
  void swap(SharedMemory& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(fd_, other.fd_);
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
  int fd_ = -1;
};

}  // namespace superd
