#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "superd/config/document.h"
#include "superd/config/service_table.h"

namespace superd {

/// The sections a key may stand in.
enum class Place : std::uint8_t {
  program,   ///< [superd]
  anywhere,  ///< [service.NAME], and [defaults] for all services
  service,   ///< [service.NAME] alone
};

/// The least and the most that a number may be: a count, bytes or milliseconds.
struct Bounds {
  std::int64_t least = 0, most = 0;
  bool is_limit = false;  ///< below `least` it would be switched off, which is refused with that reason
};

/// A row of the table of keys: all that reading, printing, explaining and documenting a key needs.
struct Key {
  std::string_view name;
  Place place;
  Bounds bounds;
  std::string_view meaning;  ///< one sentence without a full stop

  /// What may be written: "a whole number, 1 to 1000000".
  std::string (*wants)(const Bounds&);
  /// Sets what the key stands for; a value that is wrong is a complaint, and sets nothing.
  void (*read)(const Key&, const Node&, ServiceTable&, ServiceSettings&, Complaints&);
  /// The value as TOML; empty where nothing is set.
  std::string (*write)(const ServiceTable&, const ServiceSettings&);
};

[[nodiscard]] std::span<const Key> keys() noexcept;
[[nodiscard]] const Key* find_key(std::string_view name) noexcept;

}  // namespace superd
