// What comes from the network to beacons and to who looks for them.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "superd/net/multicast.h"
#include "superd/services/beacon/beacon_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)superd::is_beacon_query(text);
  (void)superd::Membership::parse(text);
  const auto read = superd::BeaconText::parse(text);
  if (!read) return 0;
  std::vector<std::string> services;
  for (const auto& service : read->services) {
    auto& line = services.emplace_back(service.name);
    for (const auto& address : service.addresses) line += ' ' + address;
  }
  // What was understood can be said, and is understood again.
  const auto again = superd::BeaconText::parse(superd::beacon_text(read->host, read->every, services, 1 << 20));
  if (!again || again->services != read->services || again->host != read->host || again->every != read->every)
    std::abort();
  return 0;
}
