#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"
#include "superd/serve/rate.h"

namespace superd {

/// Token buckets of many keys in memory that processes share, for which zeroed memory is the initial state. Thread-safe
/// and without locks: a bucket is one word, so that a process may be killed at any instruction.
///
/// The table is fixed. When all places that a key could have are taken, the key that owes least gives way: whoever makes
/// up keys without end costs no memory, locks nobody out (a newcomer has its whole burst), and frees only those who were
/// the least over their rate. Where a key belongs is keyed with a secret of the table's, so that nobody can choose
/// whose place he takes.
class RateTable {
 public:
  static constexpr std::size_t ways = 8, sets = 1024;  ///< a set is a cache line

  /// Takes one of the key's rate. Zero: at once. Longer, up to `patience`: it was taken in advance, and is for then.
  /// Nothing: that would be longer; it was not taken.
  std::optional<Clock::duration> take(const ClientKey& key, Time now, const Rate& rate,
                                      Clock::duration patience = {}) noexcept;

 private:
  // A key's tag of 24 bits, and the time at which its bucket is full again (generic cell rate algorithm, ITU-T I.371,
  // annex A) in 40, in units of 256 ns: a day and a half is longer than any burst.
  using Word = std::atomic<std::uint64_t>;
  struct alignas(64) Set {
    std::array<Word, ways> words;
  };

  [[nodiscard]] std::uint64_t secret() noexcept;

  std::atomic<std::uint64_t> secret_;
  std::array<Set, sets> sets_;
};

}  // namespace superd
