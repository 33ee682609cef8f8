#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/super/host.h"
#include "superd/super/life.h"

namespace superd {

/// One service of a program that uses the library without a configuration file.
struct ProgramService {
  std::string name;
  std::shared_ptr<Service> handler;
  std::vector<std::string> listen;  ///< as in the configuration: "tcp/daytime", "udp/10013"
  DesignSettings design{};
  Limits limits{};
  std::string group{};
  ListenOptions options{};
};

/// Binds, serves until SIGTERM or SIGINT, drains, and returns the exit code. Prints where it listens. `port_base` is
/// added to every port, so that the well-known ones can be tried without privileges.
int serve_until_signalled(const std::vector<ProgramService>& services, std::uint16_t port_base = 0);

}  // namespace superd
