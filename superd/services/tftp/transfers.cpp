#include "superd/services/tftp/transfers.h"

#include <algorithm>
#include <new>
#include <span>

namespace superd::tftp {

// Whoever dies while he holds the mutex leaves at worst one entry half written, which is not found, and goes.
Transfers::Transfers() : memory_("superd tftp", sizeof(Table)), table_(memory_.as<Table>()) {
  ::new (&table_.mutex) SharedMutex;
}

std::uint64_t Transfers::key_of(const Endpoint& client) noexcept { return std::hash<Endpoint>{}(client) | 1; }

Transfers::Entry* Transfers::set_of(std::uint64_t key) const noexcept {
  return table_.entries + (key >> 1) % sets * ways;
}

Transfers::Entry* Transfers::find(std::uint64_t key) const noexcept {
  const std::span set(set_of(key), ways);
  const auto found = std::ranges::find(set, key, &Entry::client);
  return found == set.end() ? nullptr : &*found;
}

bool Transfers::begin(const Endpoint& client, Time now) noexcept {
  const auto key = key_of(client);
  const SharedLock lock(table_.mutex);
  Entry* place = find(key);
  if (place && place->until > now) return false;
  if (!place) place = &*std::ranges::min_element(std::span(set_of(key), ways), {}, &Entry::until);
  *place = {key, now + lasts};
  return true;
}

void Transfers::renew(const Endpoint& client, Time now) noexcept {
  const SharedLock lock(table_.mutex);
  if (Entry* found = find(key_of(client))) found->until = now + lasts;
}

void Transfers::end(const Endpoint& client) noexcept {
  const SharedLock lock(table_.mutex);
  if (Entry* found = find(key_of(client))) *found = {};
}

}  // namespace superd::tftp
