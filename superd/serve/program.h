#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "superd/base/launch.h"
#include "superd/net/socket.h"

namespace superd {

/// What is done for a client by a program instead of a Service. Plain values.
struct Program {
  /// How a program that waits gets its listeners: one as its standard input and output, or all of the service's from
  /// descriptor 3 on, as sd_listen_fds(3) has it.
  enum class Pass : std::uint8_t { standard_input, listen_fds };
  /// Where its standard error output goes.
  enum class Errors : std::uint8_t { log, client, nowhere };

  Launch launch;
  /// It is given the listening or datagram socket and takes clients in by itself; the next one is started when it has
  /// ended ("wait" in inetd.conf). Else it is given one connection.
  bool waits = false;
  Pass pass = Pass::standard_input;
  Errors errors = Errors::log;

  friend bool operator==(const Program&, const Program&) = default;
};

/// What UCSPI, systemd and xinetd tell a program of the connection it is given: PROTO=TCP, TCPREMOTEIP, TCPREMOTEPORT,
/// TCPLOCALIP, TCPLOCALPORT, REMOTE_ADDR, REMOTE_PORT, and REMOTE_HOST, which is the address: no name is looked up. Of a
/// unix socket PROTO=UNIX, UNIXLOCALPATH, and of the other side UNIXREMOTEPID, UNIXREMOTEEUID, UNIXREMOTEEGID, and the
/// latter two as IPCREMOTEEUID and IPCREMOTEEGID.
[[nodiscard]] std::vector<std::string> environment_of_client(const Socket& connection);

}  // namespace superd
