#include "superd/net/passive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <span>

namespace superd {
namespace {

// A burst of 10,000 datagrams of 16 bytes is charged 832 bytes each, 8.3 MB; the kernel doubles what it is asked for,
// so twice that fits, and even the half that an rmem_max of 4 MiB leaves. Answers to a burst leave as quickly.
constexpr int burst_buffer = 8 << 20;

// The smallest path an IPv6 packet must fit (RFC 8200, 5).
constexpr int smallest_v6_path = 1280;

struct Option {
  int level, name, value;
  const char* text;
  bool needed = true;  // others make it better where the kernel has them
};

Result<> set(const Socket& socket, std::span<const Option> options, const std::string& where) {
  for (const auto& option : options) {
    const bool is_set = ::setsockopt(socket.fd(), option.level, option.name, &option.value, sizeof option.value) == 0;
    if (!is_set && option.needed) return system_error(std::string("set ") + option.text + " for " + where);
  }
  return {};
}

/// Asks for a buffer beyond the administrator's maximum where we may, and else for what the maximum allows.
void ask_for_buffer(const Socket& socket, int forced, int polite, int bytes) {
  if (bytes <= 0) return;
  if (::setsockopt(socket.fd(), SOL_SOCKET, forced, &bytes, sizeof bytes) == 0) return;
  ::setsockopt(socket.fd(), SOL_SOCKET, polite, &bytes, sizeof bytes);
}

void ask_for_buffers(const Socket& socket, const ListenOptions& options, int otherwise) {
  ask_for_buffer(socket, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer > 0 ? options.receive_buffer : otherwise);
  ask_for_buffer(socket, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer > 0 ? options.send_buffer : otherwise);
}

Result<> set_for_streams(const Socket& socket, const ListenOptions& options, const std::string& where) {
  // The kernel's own limit on TCP_KEEPIDLE and TCP_KEEPINTVL (tcp(7), MAX_TCP_KEEPIDLE).
  const int idle = static_cast<int>(std::clamp<Seconds::rep>(options.keepalive.count(), 1, 32767));
  const Option rows[] = {
      // A restarted server must not wait a minute for its own old connections in TIME_WAIT.
      {SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"},
      // Handlers write whole answers; Nagle's algorithm and delayed acknowledgements would make each wait 40 ms.
      {IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"},
      {SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"},
      {IPPROTO_TCP, TCP_KEEPIDLE, idle, "TCP_KEEPIDLE"},
      // Three probes within the second half: one lost probe ends nobody's conversation.
      {IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, idle / 3), "TCP_KEEPINTVL"},
      {IPPROTO_TCP, TCP_KEEPCNT, 3, "TCP_KEEPCNT"},
      // Counts from the last byte heard, so it holds the first half of the silence too.
      {IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * idle * 1000, "TCP_USER_TIMEOUT"},
  };
  ask_for_buffers(socket, options, 0);
  return set(socket, rows, where);
}

Result<> set_for_datagrams(const Socket& socket, const Endpoint& endpoint, const ListenOptions& options,
                           const std::string& where) {
  const bool v6 = endpoint.is_v6();
  const int any = endpoint.is_wildcard() ? 1 : 0;
  const Option rows[] = {
      {SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL"},
      v6 ? Option{SOL_IPV6, IPV6_RECVPKTINFO, any, "IPV6_RECVPKTINFO"}
      : Option{SOL_IP, IP_PKTINFO, any, "IP_PKTINFO"},
      // An answer larger than the path is fragmented, not refused. Over IPv4 by the routers (OMIT leaves DF out), and no
      // forged "fragmentation needed" is believed, which could ask for ever smaller pieces. Over IPv6 by us alone:
      // there "packet too big" must be heard, and can do no harm, for it never goes below 1280. What exceeds the
      // interface is cut to 1280 at once; only an answer between the two may lose its first try.
      {SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, "IP_MTU_DISCOVER", !v6},
      {SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT, "IPV6_MTU_DISCOVER", v6},
      {SOL_IPV6, IPV6_MTU, smallest_v6_path, "IPV6_MTU", v6},
      // Not to be asked through the groups that other programs of this machine have joined.
      {SOL_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL", false},
      {SOL_IPV6, IPV6_MULTICAST_ALL, 0, "IPV6_MULTICAST_ALL", false},
  };
  ask_for_buffers(socket, options, burst_buffer);
  // No SO_REUSEADDR: with it a second server on the port would be let in, and take the datagrams.
  return set(socket, rows, where);
}

/// "udp 0.0.0.0:37", "tcp [::]:7%eth0".
std::string where_text(const ListenAddress& address, const Endpoint& endpoint) {
  auto text = std::string(name_of(address.transport)) + ' ' + endpoint.text();
  return address.interface.empty() ? text : text + '%' + address.interface;
}

std::string_view remedy_for(int code, const Endpoint& endpoint) {
  switch (code) {
    case EADDRINUSE: return "; another program listens there: choose another port or stop it (ss -lnp shows it)";
    case EACCES:
    case EPERM:
      return endpoint.port() < 1024 ? "; ports below 1024 need CAP_NET_BIND_SERVICE or port_base"
                                    : "; a security policy of this machine forbids it";
    case EADDRNOTAVAIL: return "; no interface has this address (ip address shows them)";
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

Result<Socket> bind_socket(const ListenAddress& address, const Endpoint& endpoint, const ListenOptions& options) {
  const auto where = where_text(address, endpoint);
  const bool stream = is_stream(address.transport);
  Socket socket(::socket(endpoint.family(), (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failed("open a socket for", where, endpoint);

  if (endpoint.is_v6()) {
    // Said here, lest the host's bindv6only decide; bind(2) makes single IPv6 addresses IPv6 alone by itself.
    const Option row{SOL_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY"};
    if (const auto is_dual = set(socket, {&row, 1}, where); !is_dual) return std::unexpected(is_dual.error());
  }
  const auto is_set =
      stream ? set_for_streams(socket, options, where) : set_for_datagrams(socket, endpoint, options, where);
  if (!is_set) return std::unexpected(is_set.error());

  const auto& device = address.interface;
  if (!device.empty() &&
      ::setsockopt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE, device.data(), static_cast<socklen_t>(device.size())) != 0)
    return failed("bind", where, endpoint);
  if (::bind(socket.fd(), endpoint.address(), endpoint.size()) != 0) return failed("bind", where, endpoint);
  if (stream && ::listen(socket.fd(), options.backlog) != 0) return failed("listen on", where, endpoint);
  return socket;
}

Result<Socket> passive_internet(const ListenAddress& address, const ListenOptions& options) {
  const auto endpoint = based_endpoint(address, options.port_base);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto socket = bind_socket(address, *endpoint, options);
  if (socket || !endpoint->is_v6() || !endpoint->is_wildcard()) return socket;
  // The kernel has no IPv6, or not on this machine.
  const int code = socket.error().code;
  const bool v6_missing = code == EAFNOSUPPORT || code == EADDRNOTAVAIL;
  return v6_missing ? bind_socket(address, Endpoint::any_v4(endpoint->port()), options) : std::move(socket);
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
  return address.transport == Transport::unix_stream ? passive_unix(address, options)
                                                     : passive_internet(address, options);
}

Result<Endpoint> local_endpoint(const Socket& socket) {
  Endpoint endpoint;
  socklen_t size = Endpoint::capacity;
  if (::getsockname(socket.fd(), endpoint.address(), &size) != 0) return system_error("ask where a socket is bound");
  endpoint.set_size(std::min(size, Endpoint::capacity));
  return endpoint;
}

}  // namespace superd
