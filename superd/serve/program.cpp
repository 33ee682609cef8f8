#include "superd/serve/program.h"

#include <array>

#include "superd/net/endpoint.h"
#include "superd/net/passive.h"

namespace superd {

namespace {

std::string host_of(const Endpoint& endpoint) {
  // "127.0.0.1:7", "[::1]:7"
  auto text = endpoint.unmapped().text();
  text.resize(text.rfind(':'));
  return text.starts_with('[') ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::vector<std::string> environment_of_client(const Socket& connection) {
  Endpoint remote;
  socklen_t size = Endpoint::capacity;
  if (getpeername(connection.fd(), remote.address(), &size) == 0) remote.set_size(size);
  const auto local = local_endpoint(connection);
  if (local && local->is_unix()) return {"PROTO=UNIX"};
  std::vector<std::string> all{"PROTO=TCP"};
  if (local) {
    all.push_back("TCPLOCALIP=" + host_of(*local));
    all.push_back("TCPLOCALPORT=" + std::to_string(local->port()));
  }
  // A client that is gone already has no address any more.
  if (!remote.is_v4() && !remote.is_v6()) return all;
  all.push_back("TCPREMOTEIP=" + host_of(remote));
  all.push_back("TCPREMOTEPORT=" + std::to_string(remote.port()));
  all.push_back("REMOTE_HOST=" + host_of(remote));
  return all;
}

}  // namespace superd
