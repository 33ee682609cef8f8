#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "superd/base/words.h"
#include "superd/config/draft.h"

namespace superd {

namespace {

/// An address and where it was given.
struct Given {
  const ListenAddress* address;
  std::string_view service;
  int line;
};

std::vector<Given> all_given(const Draft& draft) {
  std::vector<Given> all;
  for (std::size_t s = 0; s < draft.table.services.size(); ++s) {
    const auto& service = draft.table.services[s];
    for (std::size_t i = 0; i < service.listen.size(); ++i)
      all.push_back({&service.listen[i], service.name, draft.lines[s].listen[i]});
  }
  return all;
}

std::string place_of(const Given& given, const Endpoint& endpoint, std::string_view interface) {
  const auto transport = given.address->transport;
  // Every raw socket has a copy of each packet, so other services may have the same place. One that has it twice answers
  // twice.
  const auto whose = transport == Transport::raw ? given.service : std::string_view();
  return fmt::format("{}/{}%{} {}", name_of(transport), endpoint.text(), interface, whose);
}

/// The places that the kernel counts an address to: its own first, then those that contain it. A wildcard contains every
/// address of its port; a listener that is bound to no interface contains those of all.
std::vector<std::string> places_of(const Given& given) {
  const auto& [transport, endpoint, interface, text] = *given.address;
  const bool is_dual = transport != Transport::raw || endpoint.is_v6();
  std::vector<Endpoint> endpoints{endpoint};
  if (endpoint.is_v4()) endpoints.push_back(Endpoint::any_v4(endpoint.port()));
  if (!endpoint.is_unix() && is_dual) endpoints.push_back(Endpoint::any_v6(endpoint.port()));
  std::vector<std::string> places;
  for (const auto& each : endpoints) {
    places.push_back(place_of(given, each, interface));
    if (!interface.empty()) places.push_back(place_of(given, each, {}));
  }
  return places;
}

/// With port 0 the kernel finds a free one.
bool is_fixed(const ListenAddress& address) { return address.endpoint.is_unix() || address.endpoint.port() != 0; }

void complain(const Given& earlier, const Given& later, Complaints& complaints) {
  complaints.add(later.line, "listen",
                 fmt::format("\"{}\" is the same place as \"{}\" of {} in {}: remove one of the two",
                             escaped(later.address->text, 120), escaped(earlier.address->text, 120), earlier.service,
                             complaints.place_of(earlier.line, later.line)));
}

}  // namespace

void check_addresses(const Draft& draft, Complaints& complaints) {
  const auto all = all_given(draft);
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < all.size(); ++i) first.try_emplace(places_of(all[i]).front(), i);

  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_fixed(*all[i].address)) continue;
    for (const auto& place : places_of(all[i])) {
      const auto found = first.find(place);
      if (found == first.end() || found->second == i) continue;
      const auto [earlier, later] = std::minmax(i, found->second);
      complain(all[earlier], all[later], complaints);
      break;
    }
  }
}

}  // namespace superd
