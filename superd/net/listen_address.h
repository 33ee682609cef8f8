#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "superd/base/error.h"
#include "superd/net/endpoint.h"

namespace superd {

enum class Transport : std::uint8_t { tcp, udp, unix_stream };

[[nodiscard]] std::string_view name_of(Transport) noexcept;  ///< "tcp", "udp", "unix"
[[nodiscard]] constexpr bool is_stream(Transport t) noexcept { return t != Transport::udp; }

/// Where a listener shall be, as the configuration says it; a value.
/// "tcp/7", "udp/daytime", "tcp/127.0.0.1:7", "udp/[::1]:7", "tcp/[fe80::1%eth0]:7", "tcp/*%eth0:7", "unix:/run/x".
/// No address, or `*`, means every address of the machine, IPv6 and IPv4; so does [::], while 0.0.0.0 is IPv4 alone.
/// After `%` stands the interface it is bound to; a link-local address needs one. A port is a number or a name of the services database (getservbyname(3)) for that transport.
struct ListenAddress {
  Transport transport = Transport::tcp;
  Endpoint endpoint;      ///< port as configured, before port_base; wildcard: any_v6; scope: only once it is bound
  std::string interface;  ///< SO_BINDTODEVICE, or empty
  std::string text;       ///< as written

  static Result<ListenAddress> parse(std::string_view text);
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// The port of a service name or number: "daytime", "13". `transport` is "tcp" or "udp". Port 0 lets the kernel choose.
/// An unknown name's error says the nearest known one. Any thread.
[[nodiscard]] Result<std::uint16_t> port_of(std::string_view service, std::string_view transport);

}  // namespace superd
