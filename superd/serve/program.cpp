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

std::vector<std::string> environment_of_local_client(const Socket& connection, const Endpoint& local) {
  std::vector<std::string> all{"PROTO=UNIX"};
  if (const auto path = local.path(); path.starts_with('/')) all.push_back("UNIXLOCALPATH=" + std::string(path));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return all;
  const auto user = std::to_string(peer.uid), group = std::to_string(peer.gid);
  all.push_back("UNIXREMOTEPID=" + std::to_string(peer.pid));
  for (const auto* name : {"UNIXREMOTEEUID=", "IPCREMOTEEUID="}) all.push_back(name + user);
  for (const auto* name : {"UNIXREMOTEEGID=", "IPCREMOTEEGID="}) all.push_back(name + group);
  return all;
}

}  // namespace

std::vector<std::string> environment_of_client(const Socket& connection) {
  const auto local = local_endpoint(connection);
  if (local && local->is_unix()) return environment_of_local_client(connection, *local);
  Endpoint remote;
  socklen_t size = Endpoint::capacity;
  if (getpeername(connection.fd(), remote.address(), &size) == 0) remote.set_size(size);
  std::vector<std::string> all{"PROTO=TCP"};
  if (local) {
    all.push_back("TCPLOCALIP=" + host_of(*local));
    all.push_back("TCPLOCALPORT=" + std::to_string(local->port()));
  }
  // A client that is gone already has no address any more.
  if (!remote.is_v4() && !remote.is_v6()) return all;
  const auto host = host_of(remote), port = std::to_string(remote.port());
  for (const auto* name : {"TCPREMOTEIP=", "REMOTE_ADDR=", "REMOTE_HOST="}) all.push_back(name + host);
  for (const auto* name : {"TCPREMOTEPORT=", "REMOTE_PORT="}) all.push_back(name + port);
  return all;
}

}  // namespace superd
