#include "superd/net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <span>

namespace superd {
namespace {

/// Asks for a buffer beyond the administrator's maximum where we may, and else for what the maximum allows.
void ask_for_buffer(int socket, int forced, int polite, int bytes) {
  if (bytes <= 0) return;
  if (::setsockopt(socket, SOL_SOCKET, forced, &bytes, sizeof bytes) == 0) return;
  ::setsockopt(socket, SOL_SOCKET, polite, &bytes, sizeof bytes);
}

}  // namespace

Result<> set_options(int socket, std::span<const Option> options, const std::string& where) {
  for (const auto& option : options) {
    const bool is_set = ::setsockopt(socket, option.level, option.name, &option.value, sizeof option.value) == 0;
    if (!is_set && option.needed) return system_error(std::string("set ") + option.text + " for " + where);
  }
  return {};
}

void ask_for_buffers(int socket, const ListenOptions& options, int otherwise) {
  ask_for_buffer(socket, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer > 0 ? options.receive_buffer : otherwise);
  ask_for_buffer(socket, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer > 0 ? options.send_buffer : otherwise);
}

Result<> set_for_binding(int socket, const Endpoint& endpoint, const ListenOptions& options, const std::string& where) {
  const bool v6 = endpoint.is_v6();
  const int free = options.when_absent == WhenAbsent::freebind ? 1 : 0;
  const Option free_bind =
      v6 ? Option{SOL_IPV6, IPV6_FREEBIND, free, "IPV6_FREEBIND"} : Option{SOL_IP, IP_FREEBIND, free, "IP_FREEBIND"};
  if (auto is_set = set_options(socket, {&free_bind, 1}, where); !is_set || !v6) return is_set;
  // Said here, lest the host's bindv6only decide; bind(2) makes single IPv6 addresses IPv6 alone by itself.
  const Option dual{SOL_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY"};
  return set_options(socket, {&dual, 1}, where);
}

Result<> set_for_streams(int socket, const ListenOptions& options, const std::string& where) {
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
  return set_options(socket, rows, where);
}

Result<> set_for_datagrams(int socket, const Endpoint& endpoint, const ListenOptions& options,
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
  return set_options(socket, rows, where);
}

std::string where_text(const ListenAddress& address, const Endpoint& endpoint) {
  if (address.transport == Transport::raw) return address.text;
  auto text = std::string(name_of(address.transport)) + ' ' + endpoint.text();
  return address.interface.empty() ? text : text + '%' + address.interface;
}

namespace {

Result<> change_backlog(int socket, const ListenOptions& wanted, const std::string& where) {
  if (::listen(socket, wanted.backlog) == 0) return {};
  return system_error("change the backlog of " + where);
}

Result<> change_file(const Endpoint& endpoint, const ListenOptions& now, const ListenOptions& wanted) {
  const std::string path(endpoint.path());
  struct stat there{};
  if (::lstat(path.c_str(), &there) != 0) return system_error("look at " + endpoint.text());
  if (!S_ISSOCK(there.st_mode)) return error("change " + endpoint.text() + ": it is no socket any more, and stays");
  if (wanted.mode != now.mode && ::chmod(path.c_str(), wanted.mode) != 0)
    return system_error("set the mode of " + endpoint.text());
  if (wanted.owner == now.owner && wanted.group == now.group) return {};
  const auto owner = wanted.owner.value_or(::geteuid());
  const auto group = wanted.group.value_or(::getegid());
  if (::lchown(path.c_str(), owner, group) == 0) return {};
  auto failure = system_error("set the owner of " + endpoint.text());
  failure.error().what += "; only root may give files away, and others only to groups they are in";
  return failure;
}

/// What was asked for stays the buffer's size; the kernel has no way back to its own.
Result<> check_buffers(const ListenOptions& now, const ListenOptions& wanted, const std::string& where) {
  const bool forgets_receive = now.receive_buffer > 0 && wanted.receive_buffer == 0;
  const bool forgets_send = now.send_buffer > 0 && wanted.send_buffer == 0;
  if (!forgets_receive && !forgets_send) return {};
  return error("change the buffers of " + where + ": the kernel's own sizes come back with a new socket alone");
}

/// Where it is bound, with port_base.
Result<Endpoint> endpoint_of(int socket) {
  Endpoint endpoint;
  socklen_t size = Endpoint::capacity;
  if (::getsockname(socket, endpoint.address(), &size) != 0) return system_error("ask where a socket is bound");
  endpoint.set_size(std::min(size, Endpoint::capacity));
  return endpoint;
}

Result<> change_internet(int socket, const ListenAddress& address, const ListenOptions& now,
                         const ListenOptions& wanted) {
  if (address.transport == Transport::raw) return change_raw(socket, address, now, wanted);
  const auto local = endpoint_of(socket);
  if (!local) return std::unexpected(local.error());
  const auto where = where_text(address, *local);
  if (!is_stream(address.transport)) {
    if (auto is_set = set_for_datagrams(socket, *local, wanted, where); !is_set) return is_set;
    return change_groups(socket, *local, address.interface, now.multicast, wanted.multicast, where);
  }
  if (auto is_set = set_for_streams(socket, wanted, where); !is_set) return is_set;
  if (auto changed = change_backlog(socket, wanted, where); !changed) return changed;
  return check_buffers(now, wanted, where);
}

}  // namespace

Result<> change_options(int socket, const ListenAddress& address, const ListenOptions& now,
                        const ListenOptions& wanted) {
  if (address.transport != Transport::unix_stream) return change_internet(socket, address, now, wanted);
  if (auto changed = change_backlog(socket, wanted, address.endpoint.text()); !changed) return changed;
  return change_file(address.endpoint, now, wanted);
}

void share_port(int socket, bool is_shared) noexcept {
  const int value = is_shared ? 1 : 0;
  (void)::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

std::uint64_t identity_of(const Socket& socket) noexcept {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return getsockopt(socket.fd(), SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace superd
