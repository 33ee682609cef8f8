#pragma once

#include <cstdint>

#include "superd/base/clock.h"
#include "superd/base/shared_memory.h"
#include "superd/base/shared_mutex.h"
#include "superd/net/endpoint.h"

namespace superd::tftp {

/// The transfers that are under way, so that the same request once more, which the network doubled or an impatient client
/// repeated, starts none beside them. In memory shared by the processes that serve. An entry lasts for a while, or until
/// it is renewed: one whose process was killed goes by itself. A full table lets a duplicate through, which costs a
/// transfer that nobody listens to, and nothing else. Thread-safe.
class Transfers {
 public:
  Transfers();

  /// False: there is one with this client, by address and port.
  [[nodiscard]] bool begin(const Endpoint& client, Time now) noexcept;
  void renew(const Endpoint& client, Time now) noexcept;
  void end(const Endpoint& client) noexcept;

  /// How long an entry lasts; renewed twice in that time.
  static constexpr Millis lasts{60'000};

 private:
  struct Entry {
    std::uint64_t client;  // 0: none
    Time until;
  };
  static constexpr std::size_t ways = 8, sets = 2048;
  struct Table {
    SharedMutex mutex;
    Entry entries[ways * sets];
  };

  static std::uint64_t key_of(const Endpoint& client) noexcept;
  [[nodiscard]] Entry* set_of(std::uint64_t key) const noexcept;
  [[nodiscard]] Entry* find(std::uint64_t key) const noexcept;

  SharedMemory memory_;
  Table& table_;
};

}  // namespace superd::tftp
