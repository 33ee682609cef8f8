#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "superd/net/datagram_batch.h"

namespace superd {

/// Datagrams that have been received and wait for a handler, each in as much memory as it needs. Of one door.
class DatagramQueue {
 public:
  /// `room`: bytes for all of them, with what each costs beside its payload; none where it is 0.
  explicit DatagramQueue(std::size_t room) noexcept : room_(room) {}

  /// Keeps a copy. False: there is no room for it.
  bool put(const DatagramSlot& slot) noexcept;
  /// The one that has waited longest; only where there is one.
  void copy_first(DatagramSlot& into) const noexcept;
  void drop_first() noexcept;
  /// Lets all others go first.
  void put_first_last() noexcept;

  [[nodiscard]] bool is_empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t count() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Endpoint from, to;
    std::uint32_t interface;
    bool known, silent;
    std::uint8_t ttl, header;
    std::size_t size;
    Time received;
    std::unique_ptr<std::byte[]> bytes;  // the header of a packet, and the payload
    [[nodiscard]] std::size_t cost() const noexcept { return sizeof(Entry) + header + size; }
  };

  const std::size_t room_;
  std::size_t used_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace superd
