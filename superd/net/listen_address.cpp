#include "superd/net/listen_address.h"

#include <net/if.h>

#include <algorithm>

#include "superd/base/words.h"
#include "superd/net/protocol_number.h"

namespace superd {
namespace {

constexpr std::string_view examples =
    R"("tcp/7", "udp/127.0.0.1:7", "tcp/[::1]:7", "tcp/*%eth0:7", "unix:/run/x", "raw/icmp")";

std::string quoted(std::string_view text) { return '"' + escaped(text, 120) + '"'; }

std::unexpected<Error> refused(std::string_view text, std::string_view why) {
  return error(quoted(text) + " is not where one can listen: " + std::string(why));
}

/// "host%interface:port" taken apart; the host without brackets. Of a raw listener the protocol stands for the port.
struct Parts {
  std::string_view host, interface, port;
  bool bracketed = false;
};

Result<Parts> split(std::string_view text, std::string_view rest, const std::string& last = "port") {
  Parts parts{.host = "*", .interface = {}, .port = rest};
  parts.bracketed = rest.starts_with('[');
  if (parts.bracketed) {
    const auto end = rest.find("]:");
    if (end == rest.npos) return refused(text, "after the address in brackets comes a colon and the " + last);
    parts.host = rest.substr(1, end - 1);
    parts.port = rest.substr(end + 2);
  } else if (const auto colon = rest.find(':'); colon != rest.npos) {
    parts.host = rest.substr(0, colon);
    parts.port = rest.substr(colon + 1);
  } else if (rest == "*" || Endpoint::parse(rest, 0)) {
    return refused(text, "the " + last + " is missing");
  }
  if (parts.port.find(':') != rest.npos)
    return refused(text, "an ipv6 address stands in brackets, as in \"tcp/[::1]:7\"");

  if (const auto percent = parts.host.find('%'); percent != parts.host.npos) {
    parts.interface = parts.host.substr(percent + 1);
    parts.host = parts.host.substr(0, percent);
    if (parts.interface.empty() || parts.interface.size() >= IF_NAMESIZE || parts.interface.find('/') != rest.npos)
      return refused(text, "after % comes the name of an interface");
  }
  if (parts.host.empty()) return refused(text, "write * for every address of the machine");
  return parts;
}

/// The address without its port. A link-local one gets its scope when it is bound, from the interface's name: the
/// interface may come and go between reading the configuration and that.
Result<Endpoint> address_of(std::string_view text, const Parts& parts) {
  if (parts.host == "*" && !parts.bracketed) return Endpoint::any_v6(0);
  const auto parsed = Endpoint::parse(parts.host, 0);
  if (!parsed || parsed->is_v6() != parts.bracketed)
    return refused(text,
                   quoted(parts.host) + " is no address (names are not looked up); right are " + std::string(examples));
  const auto endpoint = parsed->unmapped();
  if (endpoint.is_multicast() || endpoint.is_limited_broadcast()) return refused(text, "the address is not one host's");
  if (parts.interface.empty() && endpoint.is_link_local())
    return refused(text, "a link-local address needs its interface, as in \"tcp/[fe80::1%eth0]:7\"");
  return endpoint;
}

Result<ListenAddress> parse_internet(std::string_view text, Transport transport, std::string_view rest) {
  const auto parts = split(text, rest);
  if (!parts) return std::unexpected(parts.error());
  auto endpoint = address_of(text, *parts);
  if (!endpoint) return std::unexpected(endpoint.error());
  const auto port = port_of(parts->port, name_of(transport));
  if (!port) return refused(text, port.error().what);
  endpoint->set_port(*port);
  return ListenAddress{transport, *endpoint, std::string(parts->interface), std::string(text)};
}

/// Both families have an ICMP of their own, and IPv6 has its groups in that.
Result<> check_family(std::string_view text, std::uint8_t protocol, bool is_v6) {
  struct Row {
    std::uint8_t number;
    bool is_v6;
    std::string_view remedy;
  };
  constexpr Row rows[] = {
      {IPPROTO_ICMP,   false, "ICMP is of IPv4, of IPv6 is ICMPv6: write \"raw/icmp\" or \"raw6/icmp6\""},
      {IPPROTO_IGMP,   false, "IGMP is of IPv4: write \"raw/igmp\""                                     },
      {IPPROTO_ICMPV6, true,  "ICMPv6 is of IPv6: write \"raw6/icmp6\" or \"raw/icmp\""                 },
  };
  const auto* row = std::ranges::find(rows, protocol, &Row::number);
  if (row == std::end(rows) || row->is_v6 == is_v6) return {};
  return refused(text, row->remedy);
}

Result<ListenAddress> parse_raw(std::string_view text, bool is_v6, std::string_view rest) {
  const auto parts = split(text, rest, "protocol");
  if (!parts) return std::unexpected(parts.error());
  auto endpoint = address_of(text, *parts);
  if (!endpoint) return std::unexpected(endpoint.error());
  const bool is_any = parts->host == "*" && !parts->bracketed;
  if (is_any && !is_v6) endpoint = Endpoint::any_v4(0);
  if (endpoint->is_v6() != is_v6)
    return refused(text, is_v6 ? "raw6 has an IPv6 address, as in \"raw6/[::1]:icmp6\""
                               : "raw has an IPv4 address, as in \"raw/127.0.0.1:icmp\"; of IPv6 it is raw6");
  const auto protocol = protocol_number(parts->port);
  if (!protocol) return refused(text, protocol.error().what);
  if (const auto fits = check_family(text, *protocol, is_v6); !fits) return std::unexpected(fits.error());
  endpoint->set_port(*protocol);
  return ListenAddress{Transport::raw, *endpoint, std::string(parts->interface), std::string(text)};
}

}  // namespace

std::string_view name_of(Transport transport) noexcept {
  switch (transport) {
    case Transport::tcp: return "tcp";
    case Transport::udp: return "udp";
    case Transport::unix_stream: return "unix";
    case Transport::raw: return "raw";
  }
  broken("a transport without a name");
}

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  constexpr std::string_view tcp = "tcp/", udp = "udp/", local = "unix:", raw = "raw/", raw6 = "raw6/";
  if (text.starts_with(tcp)) return parse_internet(text, Transport::tcp, text.substr(tcp.size()));
  if (text.starts_with(udp)) return parse_internet(text, Transport::udp, text.substr(udp.size()));
  if (text.starts_with(raw)) return parse_raw(text, false, text.substr(raw.size()));
  if (text.starts_with(raw6)) return parse_raw(text, true, text.substr(raw6.size()));
  if (!text.starts_with(local)) return refused(text, "right are " + std::string(examples));
  const auto endpoint = Endpoint::unix_path(text.substr(local.size()));
  if (!endpoint) return refused(text, endpoint.error().what);
  return ListenAddress{Transport::unix_stream, *endpoint, {}, std::string(text)};
}

}  // namespace superd
