#pragma once

#include <string>
#include <vector>

#include "superd/base/clock.h"

namespace superd {

/// What a beacon is told; plain values, as the configuration has them.
struct BeaconSettings {
  std::vector<std::string> announces;  ///< services with their addresses, as BeaconEntry::parse() reads them
  /// Who comes new to the network asks, and need not wait for it; it is there for those who listen.
  Millis every{30'000};

  friend bool operator==(const BeaconSettings&, const BeaconSettings&) = default;
};

}  // namespace superd
