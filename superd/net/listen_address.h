#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "superd/base/error.h"
#include "superd/net/endpoint.h"

namespace superd {

enum class Transport : std::uint8_t { tcp, udp, unix_stream, raw };

[[nodiscard]] std::string_view name_of(Transport) noexcept;  ///< "tcp", "udp", "unix", "raw"
[[nodiscard]] constexpr bool is_stream(Transport t) noexcept {
  return t == Transport::tcp || t == Transport::unix_stream;
}

/// Where a listener shall be, as the configuration says it; a value.
/// "tcp/7", "udp/daytime", "tcp/127.0.0.1:7", "udp/[::1]:7", "tcp/[fe80::1%eth0]:7", "tcp/*%eth0:7", "unix:/run/x".
/// No address, or `*`, means every address of the machine, IPv6 and IPv4; so does [::], while 0.0.0.0 is IPv4 alone.
/// After `%` stands the interface it is bound to; a link-local address needs one. A port is a number or a name of the services database (getservbyname(3)) for that transport.
///
/// A raw listener has the number of a protocol of IP where others have a port: "raw/icmp", "raw/253",
/// "raw/127.0.0.1:icmp", "raw6/icmp6", "raw6/[::1]:253". `raw` is IPv4 alone, `raw6` IPv6: the endpoint's family tells.
struct ListenAddress {
  Transport transport = Transport::tcp;
  /// Port as configured, before port_base; wildcard: any_v6, of `raw` any_v4; scope: only once it is bound.
  Endpoint endpoint;
  std::string interface;  ///< SO_BINDTODEVICE, or empty
  std::string text;       ///< as written

  static Result<ListenAddress> parse(std::string_view text);
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// The port of a service name or number: "daytime", "13". `transport` is "tcp" or "udp". Port 0 lets the kernel choose.
/// An unknown name's error says the nearest known one. Any thread.
[[nodiscard]] Result<std::uint16_t> port_of(std::string_view service, std::string_view transport);

/// What is added to the port of this address: a protocol's number, and port 0, are none.
[[nodiscard]] inline std::uint16_t base_for(const ListenAddress& address, std::uint16_t port_base) noexcept {
  const bool has_port =
      address.transport != Transport::raw && !address.endpoint.is_unix() && address.endpoint.port() != 0;
  return has_port ? port_base : std::uint16_t{0};
}

}  // namespace superd
