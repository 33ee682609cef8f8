#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace superd {

/// What has been heard of the datagrams that the kernel dropped at each socket of a service: it tells a total (SO_RXQ_OVFL,
/// socket(7)), of which only what is new may be counted, whichever listener and process hears of it first. Lies in
/// zeroed memory that processes share.
class KernelDrops {
 public:
  using Seen = std::atomic<std::uint32_t>;

  /// The total last heard of this socket. Of a service with more sockets than there is room for, some share one, and
  /// are counted too often. One thread at a time.
  [[nodiscard]] Seen& of(int socket) noexcept;

 private:
  struct Slot {
    std::uint64_t cookie;
    Seen seen;
  };
  std::array<Slot, 64> slots_;
  std::size_t next_;
};

}  // namespace superd
