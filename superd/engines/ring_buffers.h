#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "superd/engines/ring.h"

namespace superd {

/// Buffers that the kernel fills by itself for whichever connection something arrives at, so that those who are silent
/// hold none. What has been filled and not yet been read stands in the connection's queue. One thread.
class RingBuffers {
 public:
  /// A message of a chatty client fits; who fills one is better served by larger receives.
  static constexpr std::size_t size = 8 * 1024;
  /// For as many as may speak at once. 2 MiB of address space, of which small messages touch half.
  static constexpr std::uint16_t count = 256;

  /// The filled buffers of one connection, in the order of their bytes.
  struct Queue {
    std::uint16_t first = none, last = none, length = 0;
  };

  /// Registers the buffers with the ring, which must outlive this object's use.
  static Result<std::unique_ptr<RingBuffers>> make(Ring& ring);

  /// The kernel has put `filled` bytes into a buffer.
  void append(Queue& queue, unsigned buffer, std::size_t filled) noexcept;
  /// The bytes of the first buffer of a queue, lent until they are given back.
  std::span<const std::byte> take_first(Queue& queue) noexcept;

  [[nodiscard]] bool owns(const std::byte* buffer) const noexcept;
  void give_back(const std::byte* buffer) noexcept;
  void give_back(unsigned buffer) noexcept;
  void give_back_all(Queue& queue) noexcept;

 private:
  static constexpr std::uint16_t none = 0xffff;

  struct Filled {
    std::uint32_t bytes;
    std::uint16_t next;
  };

  RingBuffers();
  [[nodiscard]] std::byte* at(unsigned buffer) const noexcept { return memory_.get() + buffer * size; }

  struct Unmap {
    void operator()(void* mapped) const noexcept;
  };
  std::unique_ptr<std::byte[]> memory_;
  std::unique_ptr<io_uring_buf_ring, Unmap> shared_;  // with the kernel: what it may fill
  std::array<Filled, count> filled_{};
};

}  // namespace superd
