#pragma once

#include <string>

#include "superd/lab/ping_targets.h"
#include "superd/lab/trace.h"

namespace superd {

struct TraceRequest {
  std::string target;
  Family family = Family::any;
  TraceProtocol protocol = TraceProtocol::icmp;
  std::uint16_t port = 0;  ///< 0: 80 for TCP, from 33434 on for UDP, as traceroute(8) has it
  TraceManner manner;
  bool has_names = false;
  bool is_json = false;
};

/// The command trace: does it, tells of it, and returns the program's exit code: 0 the target answered; 1 it did not, or it
/// is not permitted; 100 misuse; 111 may succeed later.
[[nodiscard]] int trace(const TraceRequest& request);

}  // namespace superd
