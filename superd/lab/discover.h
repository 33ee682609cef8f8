#pragma once

#include <string>
#include <vector>

#include "superd/base/clock.h"
#include "superd/services/beacon/beacon_text.h"

namespace superd {

struct DiscoverRequest {
  std::string group = std::string(beacon_group);  ///< as Membership::parse() reads it; without an interface, by all
  std::vector<std::string> hosts;                 ///< asked instead of the group, where there are any
  std::uint16_t port = beacon_port;
  Millis wait{2000};  ///< for answers
  bool is_json = false;
};

/// The command discover: asks who serves what, and tells of each who answers. Returns the program's exit code: 0 somebody
/// answered; 100 misuse; 111 nobody did.
[[nodiscard]] int discover(const DiscoverRequest& request);

}  // namespace superd
