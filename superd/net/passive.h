#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "superd/base/clock.h"
#include "superd/base/error.h"
#include "superd/net/listen_address.h"
#include "superd/net/multicast.h"
#include "superd/net/raw_options.h"
#include "superd/net/socket.h"

namespace superd {

/// What becomes of a listener whose address no interface has, or whose interface is not there.
enum class WhenAbsent : std::uint8_t {
  fail,      ///< nothing is served: a misspelt address is noticed at once
  retry,     ///< it is tried again and again, while the others are served
  freebind,  ///< it is bound all the same, to hear clients as soon as the address comes (IP_FREEBIND, ip(7))
};

/// How a listening socket is made. Every default is said with its reason in docs/configuration.md.
struct ListenOptions {
  std::uint16_t port_base = 0;  ///< added to every port but 0, here and nowhere else; a sum above 65535 is an error

  /// The kernel cuts it to net.core.somaxconn (4096 on Linux since 5.4): as long a queue as the host allows, because
  /// a listener at its level relies on it.
  int backlog = 4096;

  /// Bytes, as the kernel is asked for them. 0 leaves a stream's buffers to its auto-tuning, which a fixed size would
  /// switch off. A datagram socket's buffer is what holds a burst: 0 means 8 MiB there, asked for with SO_RCVBUFFORCE,
  /// then with SO_RCVBUF up to net.core.rmem_max.
  int receive_buffer = 0;
  int send_buffer = 0;

  /// A vanished client is probed after this silence and given up after as long again (TCP_KEEPIDLE, TCP_USER_TIMEOUT of
  /// both together); accepted connections inherit it from the listener. 1 s to 32767 s, as the kernel has it.
  Seconds keepalive{60};

  WhenAbsent when_absent = WhenAbsent::fail;

  mode_t mode = 0666;  ///< of a unix socket's file; connect(2) needs write permission
  std::optional<uid_t> owner;
  std::optional<gid_t> group;

  RawOptions raw;
  GroupOptions multicast;  ///< of datagrams

  friend bool operator==(const ListenOptions&, const ListenOptions&) = default;
};

/// The chapter's three functions on one body, and one for its raw sockets. Each returns a bound socket, close-on-exec and blocking (a design that
/// shares a waiting thread between listeners sets O_NONBLOCK itself); streams are listening.
/// Accepted TCP connections inherit TCP_NODELAY and the keepalive settings.
/// A wildcard listens on IPv6 and IPv4 with one socket, and on IPv4 alone where IPv6 is missing.
/// A wildcard UDP socket reports the address each datagram was sent to (IP_PKTINFO), all report kernel drops
/// (SO_RXQ_OVFL). A stale unix socket file is replaced only when nobody listens on it and it is a socket.
/// Errors name the remedy: "bind udp 0.0.0.0:37: permission denied; ports below 1024 need CAP_NET_BIND_SERVICE or
/// port_base".
[[nodiscard]] Result<Socket> passive_tcp(const ListenAddress&, const ListenOptions&);
[[nodiscard]] Result<Socket> passive_udp(const ListenAddress&, const ListenOptions&);
[[nodiscard]] Result<Socket> passive_unix(const ListenAddress&, const ListenOptions&);
/// Nothing is received that the options do not let pass: what came before they were in force is thrown away. Each packet
/// tells where it was sent to and by which interface it came. One of IGMP joins the groups that routers listen to, at
/// each interface there is now, because hosts report to those. Needs CAP_NET_RAW.
[[nodiscard]] Result<Socket> passive_raw(const ListenAddress&, const ListenOptions&);

/// Whichever of the four the address asks for.
[[nodiscard]] Result<Socket> passive(const ListenAddress&, const ListenOptions&);

/// Where a socket is bound (getsockname(2)).
[[nodiscard]] Result<Endpoint> local_endpoint(const Socket&);

}  // namespace superd
