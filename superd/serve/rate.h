#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "superd/base/clock.h"
#include "superd/base/error.h"

namespace superd {

/// So many in so long a time, and so many at once when there were fewer before.
struct Rate {
  std::uint32_t count = 1;
  Seconds per{1};
  std::uint32_t burst = 1;

  static constexpr std::uint32_t most = 1'000'000;

  /// What one takes.
  [[nodiscard]] Clock::duration interval() const noexcept { return Clock::duration(per) / count; }
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// "20/s", "60/m", "5/h", "20/s burst 40"; without a burst, a whole period's worth at once. Errors say what would be right.
[[nodiscard]] Result<Rate> parse_rate(std::string_view text);

/// As parse_rate() reads it.
[[nodiscard]] std::string format_rate(const Rate&);

}  // namespace superd
