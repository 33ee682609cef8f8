#include "superd/serve/client_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "superd/base/shared_mutex.h"

namespace superd {

std::size_t ClientTable::home_of(const SeatKey& key, std::size_t mask) noexcept {
  return (std::hash<ClientKey>{}(key.client) + key.process * 0x9e3779b97f4a7c15ULL) & mask;
}

ClientTable::Entry& ClientTable::look_up(const SeatKey& key) noexcept {
  const auto mask = capacity() - 1;
  auto* const all = entries();
  auto index = home_of(key, mask);
  while (all[index].count != 0 && all[index].key != key) index = (index + 1) & mask;
  return all[index];
}

void ClientTable::put(Entry& entry, const SeatKey& key, std::uint32_t count) noexcept {
  if (entry.count == 0) {
    if (count == 0) return;
    entry.key = key;
    in_this_order();
  }
  entry.count = count;
  if (count == 0) close_gap(entry);
}

// Whoever stands behind a free entry and belongs before it moves into it, so that look-ups may end at free entries. A
// process that dies meanwhile leaves an entry twice, or a gap: repair() heals both.
void ClientTable::close_gap(Entry& freed) noexcept {
  const auto mask = capacity() - 1;
  auto* const all = entries();
  auto gap = static_cast<std::size_t>(&freed - all);
  for (auto index = (gap + 1) & mask; all[index].count != 0; index = (index + 1) & mask) {
    const auto way = (index - home_of(all[index].key, mask)) & mask;
    if (way < ((index - gap) & mask)) continue;
    all[gap].key = all[index].key;
    in_this_order();
    all[gap].count = all[index].count;
    in_this_order();
    all[index].count = 0;
    in_this_order();
    gap = index;
  }
}

void ClientTable::reserve(std::size_t keys) noexcept {
  const auto wanted = std::min(std::bit_ceil(keys * 2), most);
  if (wanted > capacity()) rebuild(wanted);
}

// Large ones are given back to the kernel, which hands out zeroes when they are touched again.
void ClientTable::clear(Entry* region, std::size_t capacity) noexcept {
  constexpr std::size_t large = 64 * 1024;
  const auto bytes = capacity * sizeof(Entry);
  if (bytes >= large && madvise(region, bytes, MADV_REMOVE) == 0) return;
  std::memset(static_cast<void*>(region), 0, bytes);
}

// Into the other region, which counts from the last store on.
void ClientTable::rebuild(std::size_t wanted) noexcept {
  const auto other = (shape_ & 1) ^ 1;
  const auto mask = wanted - 1;
  auto* const fresh = regions_[other];
  // Somebody may have died while he filled it; the very first is untouched memory, and stays so.
  if (shape_ != 0) clear(fresh, wanted);
  for (const auto& entry : std::span(entries(), capacity())) {
    if (entry.count == 0) continue;
    auto index = home_of(entry.key, mask);
    while (fresh[index].count != 0 && fresh[index].key != entry.key) index = (index + 1) & mask;
    fresh[index] = entry;
  }
  in_this_order();
  const auto left = entries();
  const auto left_capacity = capacity();
  shape_ = other | static_cast<std::uint32_t>(std::countr_zero(wanted)) << 1;
  in_this_order();
  if (left_capacity > 0) clear(left, left_capacity);
}

ClientTable::Entry* ClientTable::next_of(std::uint32_t process, std::size_t& from) noexcept {
  auto* const all = entries();
  for (; from < capacity(); ++from)
    if (all[from].count != 0 && all[from].key.process != 0 && (process == 0 || all[from].key.process == process))
      return &all[from];
  return nullptr;
}

}  // namespace superd
