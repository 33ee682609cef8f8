#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/clock.h"

/// What beacons and those who look for them send each other: lines of text, as docs/beacon.md has them.
namespace superd {

/// Where superd's beacons are looked for, unless somebody says otherwise: a group of the IPv4 local scope (RFC 2365, 6.1),
/// and a port that nobody has registered.
constexpr std::string_view beacon_group = "239.255.83.68";
constexpr std::uint16_t beacon_port = 8368;

/// A service and where it is to be had.
struct BeaconEntry {
  std::string name;                    ///< letters, digits, '_', '-' and '.'
  std::vector<std::string> addresses;  ///< "tcp/7", "udp/192.0.2.1:7": without an address, at the beacon's own

  /// "echo tcp/7 udp/7".
  [[nodiscard]] static std::optional<BeaconEntry> parse(std::string_view text);
  friend bool operator==(const BeaconEntry&, const BeaconEntry&) = default;
};

/// What a beacon tells.
struct BeaconText {
  std::string host;
  Seconds every{0};       ///< 0: it ends now
  unsigned left_out = 0;  ///< services for which the datagram had no room
  std::vector<BeaconEntry> services;

  /// Nothing where it is not whole, of another version, or not of a beacon. Whoever sent it may have been anybody.
  [[nodiscard]] static std::optional<BeaconText> parse(std::string_view text);
  friend bool operator==(const BeaconText&, const BeaconText&) = default;
};

/// The longest text: fits into a packet of any link, also of IPv6 (RFC 8200, 5).
constexpr std::size_t longest_beacon = 1200;

/// At most `most` bytes, where the host's name leaves room: services that do not fit are left out, and counted in it.
[[nodiscard]] std::string beacon_text(std::string_view host, Seconds every, std::span<const std::string> services,
                                      std::size_t most = longest_beacon);

/// A query, as long as the longest answer: so whoever forges the sender of one gains nothing by it.
[[nodiscard]] std::string beacon_query();
[[nodiscard]] bool is_beacon_query(std::string_view text) noexcept;

}  // namespace superd
