#include <fmt/format.h>

#include <algorithm>

#include "superd/base/words.h"
#include "superd/config/draft.h"
#include "superd/services/beacon/beacon_text.h"

namespace superd {

namespace {

bool is_udp(const ListenAddress& address) noexcept { return address.transport == Transport::udp; }

/// The address at which others can be told that it listens; empty: there is none.
std::string announced_address(const ListenAddress& address, std::uint16_t port_base) {
  const auto& endpoint = address.endpoint;
  const bool is_told = (address.transport == Transport::tcp || is_udp(address)) && !endpoint.is_loopback() &&
                       !endpoint.is_multicast() && endpoint.port() != 0;
  if (!is_told) return {};
  const auto port = std::to_string(endpoint.port() + port_base);
  const auto transport = name_of(address.transport);
  if (endpoint.is_wildcard()) return fmt::format("{}/{}", transport, port);
  auto based = endpoint;
  based.set_port(static_cast<std::uint16_t>(endpoint.port() + port_base));
  return fmt::format("{}/{}", transport, based.text());
}

std::string entry_of(const ServiceSettings& service, std::uint16_t port_base) {
  std::string text;
  for (const auto& address : service.listen)
    if (const auto told = announced_address(address, port_base); !told.empty()) text += ' ' + told;
  return text.empty() ? text : service.name + text;
}

}  // namespace

// What is set is complained of, not what is written: a host is told all keys, as they are.
void check_multicast(const ServiceSettings& service, const ServiceLines& lines, Complaints& complaints) {
  const auto& wanted = service.options.multicast;
  const auto complain = [&](std::string_view key, const std::string& what) {
    complaints.add(lines.of(key), key, what);
  };
  const auto refuse = [&](std::string_view key, bool is_set, const char* what) {
    if (is_set) complain(key, what);
  };
  const bool is_beacon = service.handler == "beacon";
  constexpr auto of_beacons = "is of beacon alone: leave it out";
  refuse("announces", !is_beacon && !service.settings.beacon.announces.empty(), of_beacons);
  refuse("announce_every", !is_beacon && service.settings.beacon.every != BeaconSettings().every, of_beacons);
  if (std::ranges::none_of(service.listen, is_udp)) {
    constexpr auto of_udp = R"(is of udp listeners: write one, as in listen = ["udp/5000"], or leave it out)";
    const GroupOptions none;
    refuse("groups", !wanted.groups.empty(), of_udp);
    refuse("multicast_ttl", wanted.ttl != none.ttl, of_udp);
    refuse("multicast_loop", wanted.loop != none.loop, of_udp);
    refuse("multicast_interface", !wanted.interface.empty(), of_udp);
    return refuse("broadcast", wanted.broadcast, of_udp);
  }
  for (const auto& one : wanted.groups)
    if (std::ranges::none_of(service.listen, [&](const ListenAddress& address) {
          return is_udp(address) && can_join(address.endpoint, one);
        }))
      complain("groups", fmt::format("no listener of this service hears \"{}\": one must have every address of its "
                                     "version of IP, as \"udp/5000\" has, or the group's own",
                                     escaped(one.text, 80)));
}

// A key like others, so that a beacon is told anew, and nobody else, when there are other services.
void announce_services(ServiceTable& table) {
  std::vector<std::string> all;
  for (const auto& service : table.services)
    if (auto text = entry_of(service, table.port_base); !text.empty() && service.handler != "beacon")
      all.push_back(std::move(text));
  for (auto& service : table.services) {
    auto& told = service.settings.beacon.announces;
    if (service.handler == "beacon" && told.empty()) told = all;
  }
}

}  // namespace superd
