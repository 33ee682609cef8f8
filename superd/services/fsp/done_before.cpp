#include "superd/services/fsp/done_before.h"

#include <memory>
#include <random>

namespace superd {

namespace {

SipHash::Secret secret() {
  std::random_device random;
  return {random(), random()};
}

// Where checksum, key and the number of the try end: what is the same when a request is sent again begins here.
constexpr std::size_t same_from = 6;

}  // namespace

FspDoneBefore::FspDoneBefore()
    : memory_("superd requests", sizeof(Table)), table_(memory_.as<Table>()), hash_(secret()) {
  std::construct_at(&table_.mutex);
}

std::uint64_t FspDoneBefore::identity_of(const Endpoint& client, std::span<const std::byte> request) const noexcept {
  const auto key = ClientKey::of(client);
  const std::array<std::uint64_t, 3> parts{key.high, key.low, hash_(request.subspan(same_from))};
  return hash_(std::as_bytes(std::span(parts))) ^ std::to_integer<std::uint64_t>(request[0]) ^
         std::uint64_t{client.port()} << 32;
}

void FspDoneBefore::note(const Endpoint& client, std::span<const std::byte> request, Time now) noexcept {
  const auto identity = identity_of(client, request);
  const SharedLock lock(table_.mutex);
  table_.entries[identity % table_.entries.size()] = {identity, now};
}

bool FspDoneBefore::has(const Endpoint& client, std::span<const std::byte> request, Time now) const noexcept {
  const auto identity = identity_of(client, request);
  const SharedLock lock(table_.mutex);
  const auto& entry = table_.entries[identity % table_.entries.size()];
  return entry.identity == identity && now - entry.when < age;
}

}  // namespace superd
