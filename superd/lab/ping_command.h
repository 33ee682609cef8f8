#pragma once

#include <optional>
#include <string>
#include <vector>

#include "superd/lab/ping.h"

namespace superd {

struct PingRequest {
  std::vector<std::string> targets;
  Family family = Family::any;
  PingManner manner;
  std::optional<std::uint32_t> count;  ///< nothing: 1 where there is a network, else 5
  bool is_quiet = false;               ///< the summary alone
  bool is_json = false;
};

/// The command ping: does it, tells of it, and returns the program's exit code: 0 all targets answered; 1 one did not, or it
/// is not permitted; 100 misuse; 111 may succeed later.
[[nodiscard]] int ping(const PingRequest& request);

}  // namespace superd
