#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "superd/base/launch.h"
#include "superd/net/socket.h"

namespace superd {

/// What is done for a client by a program instead of a Service. Plain values.
struct Program {
  /// Where its standard error output goes.
  enum class Errors : std::uint8_t { log, client, nowhere };

  Launch launch;
  /// It is given the listening or datagram socket and takes clients in by itself; the next one is started when it has
  /// ended ("wait" in inetd.conf). Else it is given one connection.
  bool waits = false;
  Errors errors = Errors::log;

  friend bool operator==(const Program&, const Program&) = default;
};

/// What UCSPI and xinetd tell a program of the connection it is given: PROTO, TCPREMOTEIP, TCPREMOTEPORT, TCPLOCALIP,
/// TCPLOCALPORT (or PROTO=UNIX alone), and REMOTE_HOST, which is the address: no name is looked up.
[[nodiscard]] std::vector<std::string> environment_of_client(const Socket& connection);

}  // namespace superd
