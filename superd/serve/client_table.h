#pragma once

#include <cstddef>
#include <cstdint>

#include "superd/net/endpoint.h"

namespace superd {

/// Whose seats are counted together: a client's, or those that one process has given to a client.
struct SeatKey {
  ClientKey client;
  std::uint32_t process = 0;  ///< 0: of whatever process

  friend bool operator==(const SeatKey&, const SeatKey&) = default;
};

/// How many seats each client has: a table with open addressing, in memory that processes share. Zeroed memory is an
/// empty one without room. Whoever calls holds a lock.
///
/// A process may be killed at any instruction of these functions: after repair() every key has its count of before or
/// after.
class ClientTable {
 public:
  /// Room that is reserved, not used: for a million seats, each counted for its client and for its process, at a load of
  /// one half; at three quarters when each is in a prefix of its own.
  static constexpr std::size_t most = std::size_t{1} << 22;

  struct Entry {
    SeatKey key;
    std::uint32_t count;  ///< 0: the entry is free
  };

  /// The key's entry, or the free one where it belongs.
  [[nodiscard]] Entry& look_up(const SeatKey&) noexcept;
  void put(Entry&, const SeatKey&, std::uint32_t count) noexcept;  ///< in an entry that was looked up for this key
  void put(const SeatKey& key, std::uint32_t count) noexcept { put(look_up(key), key, count); }

  /// Sees to it that so many keys fit at a load of one half at most; as far as `most` goes.
  void reserve(std::size_t keys) noexcept;
  void repair() noexcept { rebuild(capacity()); }
  /// Nobody has a seat; the room stays. Whatever state it was left in.
  void clear() noexcept { clear(entries(), capacity()); }

  /// An entry of this process (0: of any that has a number) at `from` or behind it, or null; `from` becomes its place.
  [[nodiscard]] Entry* next_of(std::uint32_t process, std::size_t& from) noexcept;

 private:
  [[nodiscard]] Entry* entries() noexcept { return regions_[shape_ & 1]; }
  [[nodiscard]] std::size_t capacity() const noexcept { return shape_ == 0 ? 0 : std::size_t{1} << (shape_ >> 1); }
  [[nodiscard]] static std::size_t home_of(const SeatKey&, std::size_t mask) noexcept;
  void close_gap(Entry&) noexcept;
  static void clear(Entry* region, std::size_t capacity) noexcept;
  void rebuild(std::size_t capacity) noexcept;

  std::uint32_t shape_;  ///< which region is in use, and twice the binary logarithm of its capacity
  alignas(4096) Entry regions_[2][most];
  static_assert(sizeof(Entry[most]) % 4096 == 0, "the second region begins at a page too");
};

}  // namespace superd
