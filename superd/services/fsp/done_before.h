#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "superd/base/clock.h"
#include "superd/base/shared_memory.h"
#include "superd/base/shared_mutex.h"
#include "superd/base/siphash.h"
#include "superd/net/endpoint.h"

namespace superd {

/// What changed files a moment ago, so that a request whose answer was lost is not told that there is nothing left to
/// delete: an NFS server's duplicate request cache. Of a fixed size, in memory that forked processes share: the newest of
/// those that share a place stays. Thread-safe.
class FspDoneBefore {
 public:
  FspDoneBefore();

  void note(const Endpoint& client, std::span<const std::byte> request, Time now) noexcept;
  [[nodiscard]] bool has(const Endpoint& client, std::span<const std::byte> request, Time now) const noexcept;

  /// A client that has asked in vain for as long begins anew.
  static constexpr Seconds age{60};

 private:
  struct Entry {
    std::uint64_t identity;
    Time when;
  };
  struct Table {
    SharedMutex mutex;
    std::array<Entry, 1024> entries;
  };
  [[nodiscard]] std::uint64_t identity_of(const Endpoint& client, std::span<const std::byte> request) const noexcept;

  SharedMemory memory_;
  Table& table_;
  SipHash hash_;
};

}  // namespace superd
