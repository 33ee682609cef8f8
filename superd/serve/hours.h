#pragma once

#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

#include "superd/base/error.h"

namespace superd {

/// Some hours of some days, by the wall clock: "08:00-18:00", "Mon-Fri 08:00-18:00", "Sat,Sun 00:00-24:00". One that ends
/// before it begins goes on across midnight: "Fri 22:00-06:00" ends on Saturday. What daylight saving skips or repeats
/// is skipped or repeated with it, for it is the time on the clock that counts.
struct Hours {
  std::uint8_t days = 0x7f;  ///< on which it begins: bit 0 is Sunday, as in struct tm
  std::int16_t begin = 0;    ///< minutes since midnight
  std::int16_t end = 24 * 60;

  static Result<Hours> parse(std::string_view text);
  [[nodiscard]] std::string text() const;  ///< as parse() reads it
  [[nodiscard]] bool hold(const std::tm& local) const noexcept;

  friend bool operator==(const Hours&, const Hours&) = default;
};

/// Whether one of them holds; none at all is always.
[[nodiscard]] bool any_hold(std::span<const Hours> hours, const std::tm& local) noexcept;

}  // namespace superd
