#include "superd/net/passive.h"

#include <sys/socket.h>

#include <algorithm>
#include <limits>

#include "superd/net/socket_options.h"

namespace superd {
namespace {

std::string_view remedy_for(int code, const Endpoint& endpoint) {
  switch (code) {
    case EADDRINUSE: return "; another program listens there: choose another port or stop it (ss -lnp shows it)";
    case EACCES:
    case EPERM:
      return endpoint.port() < 1024 ? "; ports below 1024 need CAP_NET_BIND_SERVICE or port_base"
                                    : "; a security policy of this machine forbids it";
    case EADDRNOTAVAIL:
      return "; no interface has this address (ip address shows them); when_absent = \"retry\" waits for it";
    case ENODEV: return "; no interface has this name (ip link shows them)";
    case EMFILE:
    case ENFILE: return "; raise the limit on open files (ulimit -n, fs.file-max)";
    default: return "";
  }
}

std::unexpected<Error> failed(const std::string& doing, const std::string& where, const Endpoint& endpoint) {
  const int code = errno;
  auto failure = system_error(doing + ' ' + where, code);
  failure.error().what += remedy_for(code, endpoint);
  return failure;
}

/// The endpoint as it is bound: with port_base. The scope of a link-local one comes from SO_BINDTODEVICE.
Result<Endpoint> based_endpoint(const ListenAddress& address, std::uint16_t port_base) {
  auto endpoint = address.endpoint;
  const unsigned port = endpoint.port();
  // Port 0 is no port but the wish for any; a base would turn it into one.
  if (port == 0) return endpoint;
  if (port + port_base > std::numeric_limits<std::uint16_t>::max())
    return error("bind " + where_text(address, endpoint) + ": port " + std::to_string(port) + " and port_base " +
                 std::to_string(port_base) + " make more than 65535; choose a smaller port_base");
  endpoint.set_port(static_cast<std::uint16_t>(port + port_base));
  return endpoint;
}

enum class Neighbours : std::uint8_t { excluded, share_the_port };

Result<Socket> bind_socket(const ListenAddress& address, const Endpoint& endpoint, const ListenOptions& options,
                           Neighbours neighbours) {
  const auto where = where_text(address, endpoint);
  const bool stream = is_stream(address.transport);
  Socket socket(::socket(endpoint.family(), (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failed("open a socket for", where, endpoint);

  if (const auto may_bind = set_for_binding(socket.fd(), endpoint, options, where); !may_bind)
    return std::unexpected(may_bind.error());
  const auto is_set =
      stream ? set_for_streams(socket.fd(), options, where) : set_for_datagrams(socket.fd(), endpoint, options, where);
  if (!is_set) return std::unexpected(is_set.error());

  const bool shares = neighbours == Neighbours::share_the_port;
  if (shares) share_port(socket.fd(), true);
  const auto& device = address.interface;
  if (!device.empty() &&
      ::setsockopt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE, device.data(), static_cast<socklen_t>(device.size())) != 0)
    return failed("bind", where, endpoint);
  if (::bind(socket.fd(), endpoint.address(), endpoint.size()) != 0) return failed("bind", where, endpoint);
  if (!stream)
    if (auto joined = change_groups(socket.fd(), endpoint, device, {}, options.multicast, where); !joined)
      return std::unexpected(joined.error());
  if (stream && ::listen(socket.fd(), options.backlog) != 0) return failed("listen on", where, endpoint);
  if (shares) share_port(socket.fd(), false);
  return socket;
}

Result<Socket> passive_internet(const ListenAddress& address, const ListenOptions& options,
                                Neighbours neighbours = Neighbours::excluded) {
  const auto endpoint = based_endpoint(address, options.port_base);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto socket = bind_socket(address, *endpoint, options, neighbours);
  if (socket || !endpoint->is_v6() || !endpoint->is_wildcard()) return socket;
  // The kernel has no IPv6, or not on this machine.
  const int code = socket.error().code;
  const bool v6_missing = code == EAFNOSUPPORT || code == EADDRNOTAVAIL;
  return v6_missing ? bind_socket(address, Endpoint::any_v4(endpoint->port()), options, neighbours) : std::move(socket);
}

}  // namespace

Result<Socket> passive_tcp(const ListenAddress& address, const ListenOptions& options) {
  if (address.transport != Transport::tcp) broken("passive_tcp for another transport");
  return passive_internet(address, options);
}

Result<Socket> passive_udp(const ListenAddress& address, const ListenOptions& options) {
  if (address.transport != Transport::udp) broken("passive_udp for another transport");
  return passive_internet(address, options);
}

Result<Socket> passive(const ListenAddress& address, const ListenOptions& options) {
  if (address.transport == Transport::raw) return passive_raw(address, options);
  return address.transport == Transport::unix_stream ? passive_unix(address, options)
                                                     : passive_internet(address, options);
}

Result<Socket> passive_beside(const ListenAddress& address, const ListenOptions& options) {
  return passive_internet(address, options, Neighbours::share_the_port);
}

Result<Endpoint> local_endpoint(const Socket& socket) {
  Endpoint endpoint;
  socklen_t size = Endpoint::capacity;
  if (::getsockname(socket.fd(), endpoint.address(), &size) != 0) return system_error("ask where a socket is bound");
  endpoint.set_size(std::min(size, Endpoint::capacity));
  return endpoint;
}

}  // namespace superd
