#include "superd/services/fsp/keys.h"

#include <cstring>
#include <random>

namespace superd {

namespace {

SipHash::Secret fresh_secret() {
  std::random_device random;
  const auto half = [&] { return std::uint64_t{random()} << 32 | random(); };
  return {half(), half()};
}

/// All of an address: a host has its IPv6 /64 to itself, but not each program in it.
struct Address {
  std::array<std::byte, 16> bytes{};
  std::uint64_t period;
};

}  // namespace

FspKeys::FspKeys() : hash_(fresh_secret()) {}

std::uint16_t FspKeys::key_in(const Endpoint& from, std::int64_t when) const noexcept {
  Address address{.period = static_cast<std::uint64_t>(when)};
  const auto plain = from.unmapped();
  if (plain.is_v4())
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(plain.address())->sin_addr, 4);
  else if (plain.is_v6())
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(plain.address())->sin6_addr, 16);
  return static_cast<std::uint16_t>(hash_(std::as_bytes(std::span(&address, 1))));
}

}  // namespace superd
