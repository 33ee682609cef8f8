#pragma once

#include <cstdint>

#include "superd/base/clock.h"
#include "superd/base/siphash.h"
#include "superd/net/endpoint.h"

namespace superd {

/// The keys that answers carry, and requests must carry afterwards: who has the right one receives what is sent to its
/// address. A key is computed from address, time and a secret, and not remembered: nothing can be filled or lost, and
/// processes that were forked from one agree. All clients at one address are told the same key, so they neither take
/// each other's nor need to share it, as those do that know one key an address. Thread-safe.
class FspKeys {
 public:
  FspKeys();

  [[nodiscard]] std::uint16_t key_for(const Endpoint& from, Time now) const noexcept {
    return key_in(from, period_of(now));
  }
  /// The present one, or the one before.
  [[nodiscard]] bool is_right(std::uint16_t key, const Endpoint& from, Time now) const noexcept {
    const auto present = period_of(now);
    return key == key_in(from, present) || key == key_in(from, present - 1);
  }

  /// How long a key is handed out, and at least taken after that. The protocol ends a session after as much silence.
  static constexpr Seconds period{60};

 private:
  static std::int64_t period_of(Time now) noexcept { return now.time_since_epoch() / period; }
  [[nodiscard]] std::uint16_t key_in(const Endpoint& from, std::int64_t when) const noexcept;

  SipHash hash_;
};

}  // namespace superd
