#include "superd/base/units.h"

#include <array>
#include <charconv>
#include <limits>

#include "superd/base/words.h"

namespace superd {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t worth;
};

// Largest first: the first that divides a value gives its shortest text.
constexpr std::array durations = {
    Unit{"d",  86'400'000},
    Unit{"h",  3'600'000 },
    Unit{"m",  60'000    },
    Unit{"s",  1'000     },
    Unit{"ms", 1         }
};
constexpr std::array sizes = {
    Unit{"GiB", 1ULL << 30},
    Unit{"MiB", 1ULL << 20},
    Unit{"KiB", 1ULL << 10},
    Unit{"B",   1         }
};

// A century: far more than anyone waits, and a Time in nanoseconds (292 years) does not overflow by adding it.
constexpr std::uint64_t longest = 36'500ULL * 86'400'000;

struct Quantity {
  std::uint64_t number = 0;
  std::string_view unit;
};

/// Digits, then whatever follows; no sign, no blank. An error when there are no digits or too many.
std::expected<Quantity, std::errc> split(std::string_view text) {
  Quantity quantity;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), quantity.number);
  if (failure != std::errc{}) return std::unexpected(failure);
  quantity.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return quantity;
}

template <std::size_t n>
const Unit* find(const std::array<Unit, n>& units, std::string_view name) {
  for (const auto& unit : units)
    if (unit.name == name) return &unit;
  return nullptr;
}

template <std::size_t n>
const Unit& largest_in(const std::array<Unit, n>& units, std::uint64_t value) {
  for (const auto& unit : units)
    if (value >= unit.worth && value % unit.worth == 0) return unit;
  return units.back();
}

std::string quoted(std::string_view text) { return '"' + escaped(text, 40) + '"'; }

std::unexpected<Error> not_a_duration(std::string_view text) {
  return error(quoted(text) +
               R"( is not a duration: write a whole number and its unit, ms, s, m, h or d, as in "30s")");
}

std::unexpected<Error> not_a_size(std::string_view text) {
  return error(quoted(text) +
               R"( is not a size: write a number of bytes, or one with B, KiB, MiB or GiB, as in "64KiB")");
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) {
    if (quantity.error() == std::errc::result_out_of_range) return error(quoted(text) + " is too long: at most 36500d");
    return not_a_duration(text);
  }
  const auto* unit = find(durations, quantity->unit);
  if (!unit) return not_a_duration(text);
  if (quantity->number > longest / unit->worth) return error(quoted(text) + " is too long: at most 36500d");
  return Millis(static_cast<Millis::rep>(quantity->number * unit->worth));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) {
    if (quantity.error() == std::errc::result_out_of_range) return error(quoted(text) + " is too large");
    return not_a_size(text);
  }
  const auto* unit = quantity->unit.empty() ? &sizes.back() : find(sizes, quantity->unit);
  if (!unit) return not_a_size(text);
  if (quantity->number > std::numeric_limits<std::uint64_t>::max() / unit->worth)
    return error(quoted(text) + " is too large");
  return quantity->number * unit->worth;
}

std::string format_duration(Millis duration) {
  if (duration <= Millis::zero()) return "0s";
  const auto value = static_cast<std::uint64_t>(duration.count());
  const auto& unit = largest_in(durations, value);
  return std::to_string(value / unit.worth).append(unit.name);
}

std::string format_size(std::uint64_t bytes) {
  const auto& unit = largest_in(sizes, bytes);
  return std::to_string(bytes / unit.worth).append(unit.name);
}

}  // namespace superd
