#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace superd {

/// The buffers of one loop. While nobody keeps received bytes, one hot buffer serves all connections; who has to keep
/// them (a handler that waits for something else before it reads on) keeps the buffer, and the loop takes another.
/// One thread.
class BufferPool {
 public:
  /// One recv(2) moves at most this much: large enough that bulk data is bound by the copy, not by the calls.
  static constexpr std::size_t size = 64 * 1024;

  BufferPool();

  /// The buffer to receive into next; stays the same until it is lent. Empty when there is no memory for one.
  std::span<std::byte> current() noexcept;

  /// The current buffer now belongs to a receiver, until give_back().
  std::byte* lend() noexcept;
  void give_back(std::byte* buffer) noexcept;

 private:
  using Buffer = std::unique_ptr<std::byte[]>;

  Buffer current_;
  bool current_is_lent_ = false;
  std::vector<Buffer> spare_;
};

}  // namespace superd
