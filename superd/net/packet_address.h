#pragma once

#include <cstddef>
#include <cstring>

#include "superd/net/endpoint.h"

namespace superd {

/// The four bytes of an IPv4 address as they stand in a packet; port 0.
[[nodiscard]] inline Endpoint packet_address_v4(const std::byte* bytes) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::memcpy(&address.sin_addr, bytes, sizeof address.sin_addr);
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// The sixteen bytes of an IPv6 address; port 0, no scope.
[[nodiscard]] inline Endpoint packet_address_v6(const std::byte* bytes) noexcept {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  std::memcpy(&address.sin6_addr, bytes, sizeof address.sin6_addr);
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// The address of a v4 or v6 endpoint, which the caller knows it to be.
[[nodiscard]] inline const in_addr& address_v4(const Endpoint& endpoint) noexcept {
  return reinterpret_cast<const sockaddr_in*>(endpoint.address())->sin_addr;
}
[[nodiscard]] inline const in6_addr& address_v6(const Endpoint& endpoint) noexcept {
  return reinterpret_cast<const sockaddr_in6*>(endpoint.address())->sin6_addr;
}

}  // namespace superd
