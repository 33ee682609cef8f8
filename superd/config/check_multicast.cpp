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

void check_multicast(const ServiceSettings& service, const ServiceLines& lines, Complaints& complaints) {
  const auto complain = [&](std::string_view key, std::string_view what) {
    if (lines.keys.contains(key)) complaints.add(lines.of(key), key, what);
  };
  if (std::ranges::none_of(service.listen, is_udp))
    for (const std::string_view key : {"groups", "multicast_ttl", "multicast_loop", "multicast_interface", "broadcast"})
      complain(key, R"(is of udp listeners: write one, as in listen = ["udp/5000"], or leave it out)");
  else
    for (const auto& one : service.options.multicast.groups)
      if (std::ranges::none_of(service.listen, [&](const ListenAddress& address) {
            return is_udp(address) && can_join(address.endpoint, one);
          }))
        complain("groups", fmt::format("no listener of this service hears \"{}\": one must have every address of its "
                                       "version of IP, as \"udp/5000\" has, or the group's own",
                                       escaped(one.text, 80)));
  if (service.handler == "beacon") return;
  for (const std::string_view key : {"announces", "announce_every"}) complain(key, "is of beacon alone: leave it out");
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
