#include "superd/services/fsp/strangers.h"

#include <algorithm>
#include <memory>
#include <random>

#include "superd/base/mix.h"

namespace superd {

FspStrangers::FspStrangers()
    : memory_("superd strangers", sizeof(Table)), table_(memory_.as<Table>()), salt_(std::random_device{}()) {
  std::construct_at(&table_.mutex);
}

FspStrangers::Address* FspStrangers::set_of(const ClientKey& key) const noexcept {
  return &table_.addresses[mix(key.high ^ salt_, key.low) % sets * ways];
}

// The port's own, one that is free, or one whose minute is over.
FspStrangers::Port* FspStrangers::place_in(Address& address, std::uint16_t port, Time now) noexcept {
  const auto own = [&](const Port& place) { return place.answers > 0 && place.port == port; };
  const auto free = [&](const Port& place) { return place.answers == 0 || now - place.first >= silence; };
  auto found = std::ranges::find_if(address.places, own);
  if (found == address.places.end()) found = std::ranges::find_if(address.places, free);
  if (found == address.places.end()) return nullptr;
  if (!own(*found) || now - found->first >= silence) *found = {.first = now, .port = port};
  return &*found;
}

bool FspStrangers::admit(const Endpoint& from, Time now) noexcept {
  const auto key = ClientKey::of(from);
  const SharedLock lock(table_.mutex);
  Address* const set = set_of(key);
  Address* address = std::find_if(set, set + ways, [&](const Address& one) { return one.key == key; });
  if (address == set + ways) {
    // Who forges many addresses drives out others, and with each pays for one more answer than it gains.
    address = std::min_element(set, set + ways, [](const Address& a, const Address& b) { return a.last < b.last; });
    *address = {.key = key};
  }
  Port* const place = place_in(*address, from.port(), now);
  if (!place || place->answers >= answers || (place->answers > 0 && now - place->last < pause)) return false;
  ++place->answers;
  place->last = address->last = now;
  return true;
}

void FspStrangers::recognise(const Endpoint& from) noexcept {
  const auto key = ClientKey::of(from);
  const SharedLock lock(table_.mutex);
  Address* const set = set_of(key);
  for (auto* address = set; address != set + ways; ++address) {
    if (address->key != key) continue;
    for (auto& place : address->places)
      if (place.port == from.port()) place.answers = 0;
  }
}

}  // namespace superd
