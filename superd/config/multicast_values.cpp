// Values of groups and beacons.

#include <fmt/format.h>
#include <net/if.h>

#include "superd/base/words.h"
#include "superd/config/values.h"
#include "superd/services/beacon/beacon_text.h"

namespace superd {

namespace {

// The kernel lets a socket be in 20 by default (net.ipv4.igmp_max_memberships).
constexpr std::size_t most_groups = 256;
// More do not go into a datagram.
constexpr std::size_t most_announced = 1000;

Result<std::string> parse_announced(const std::string& text) {
  if (BeaconEntry::parse(text)) return text;
  return error(
      fmt::format("\"{}\" is no service with its addresses: write it as in \"echo tcp/7 udp/7\"", escaped(text, 80)));
}

}  // namespace

std::optional<std::vector<Membership>> memberships(const Reading& reading) {
  return each<Membership>(reading, most_groups, Membership::parse);
}

std::optional<std::string> interface_name(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  if (given->size() >= IF_NAMESIZE || given->find_first_of("/ ") != given->npos)
    return reading.complain(fmt::format("\"{}\" is no name that an interface can have", escaped(*given, 40)));
  return std::string(*given);
}

std::optional<std::vector<std::string>> announced(const Reading& reading) {
  return each<std::string>(reading, most_announced, parse_announced);
}

}  // namespace superd
