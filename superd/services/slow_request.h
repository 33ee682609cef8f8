#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/clock.h"

namespace superd {

/// One thing that the service `slow` is asked to do, and for how long.
struct SlowStep {
  enum class What : std::uint8_t { compute, sleep, block, background };
  What what;
  Millis time;
  friend bool operator==(const SlowStep&, const SlowStep&) = default;
};

/// The steps in their order, each kind at most once.
using SlowRequest = std::vector<SlowStep>;

/// All steps of a request together.
constexpr Millis longest_slow_request{10'000};

/// "compute 2ms sleep 20ms block 5ms": names and durations (base/units.h), with blanks between. The error is a text
/// without the end of a line, short enough for a stranger's datagram.
[[nodiscard]] std::expected<SlowRequest, std::string_view> parse_slow_request(std::string_view line);

/// As parse_slow_request() reads it back.
[[nodiscard]] std::string text_of(const SlowRequest&);

}  // namespace superd
