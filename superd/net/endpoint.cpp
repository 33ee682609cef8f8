#include "superd/net/endpoint.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace superd {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);

}  // namespace

Endpoint::Endpoint() noexcept { std::memset(&storage_, 0, sizeof storage_); }

Endpoint Endpoint::from(const sockaddr* address, socklen_t size) noexcept {
  Endpoint endpoint;
  if (!address || size < sizeof(sa_family_t)) return endpoint;
  size = std::min(size, capacity);
  const bool whole = address->sa_family == AF_UNIX || (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) ||
                     (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6));
  if (!whole) return endpoint;
  std::memcpy(&endpoint.storage_, address, size);
  endpoint.size_ = size;
  return endpoint;
}

Endpoint Endpoint::any_v4(std::uint16_t port) noexcept {
  Endpoint endpoint;
  endpoint.storage_.v4.sin_family = AF_INET;
  endpoint.storage_.v4.sin_port = htons(port);
  endpoint.size_ = sizeof(sockaddr_in);
  return endpoint;
}

Endpoint Endpoint::any_v6(std::uint16_t port) noexcept {
  Endpoint endpoint;
  endpoint.storage_.v6.sin6_family = AF_INET6;
  endpoint.storage_.v6.sin6_port = htons(port);
  endpoint.size_ = sizeof(sockaddr_in6);
  return endpoint;
}

std::uint16_t Endpoint::port() const noexcept {
  if (is_v4()) return ntohs(storage_.v4.sin_port);
  if (is_v6()) return ntohs(storage_.v6.sin6_port);
  return 0;
}

void Endpoint::set_port(std::uint16_t port) noexcept {
  if (is_v4()) storage_.v4.sin_port = htons(port);
  if (is_v6()) storage_.v6.sin6_port = htons(port);
}

std::string_view Endpoint::path() const noexcept {
  if (!is_unix() || size_ <= path_offset) return {};
  const std::string_view whole(storage_.local.sun_path, size_ - path_offset);
  // An abstract name begins with a NUL and is as long as the size says; any other ends at the first NUL (unix(7)).
  return whole.front() == '\0' ? whole : whole.substr(0, whole.find('\0'));
}

std::uint32_t Endpoint::scope() const noexcept { return is_v6() ? storage_.v6.sin6_scope_id : 0; }

bool Endpoint::is_wildcard() const noexcept {
  if (is_v4()) return storage_.v4.sin_addr.s_addr == htonl(INADDR_ANY);
  return is_v6() && IN6_IS_ADDR_UNSPECIFIED(&storage_.v6.sin6_addr);
}

bool Endpoint::is_loopback() const noexcept {
  const Endpoint plain = unmapped();
  if (plain.is_v4()) return ntohl(plain.storage_.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  return is_unix() || (is_v6() && IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr));
}

bool Endpoint::is_link_local() const noexcept { return is_v6() && IN6_IS_ADDR_LINKLOCAL(&storage_.v6.sin6_addr); }

bool Endpoint::is_multicast() const noexcept {
  const Endpoint plain = unmapped();
  if (plain.is_v4()) return IN_MULTICAST(ntohl(plain.storage_.v4.sin_addr.s_addr));
  return is_v6() && IN6_IS_ADDR_MULTICAST(&storage_.v6.sin6_addr);
}

bool Endpoint::is_limited_broadcast() const noexcept {
  const Endpoint plain = unmapped();
  return plain.is_v4() && plain.storage_.v4.sin_addr.s_addr == htonl(INADDR_BROADCAST);
}

Endpoint Endpoint::unmapped() const noexcept {
  if (!is_v6() || !IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) return *this;
  Endpoint plain = any_v4(port());
  std::memcpy(&plain.storage_.v4.sin_addr, &storage_.v6.sin6_addr.s6_addr[12], sizeof(in_addr));
  return plain;
}

bool operator==(const Endpoint& a, const Endpoint& b) noexcept {
  if (a.family() != b.family()) return false;
  if (a.is_v4())
    return a.storage_.v4.sin_port == b.storage_.v4.sin_port &&
           a.storage_.v4.sin_addr.s_addr == b.storage_.v4.sin_addr.s_addr;
  if (a.is_v6())
    return a.storage_.v6.sin6_port == b.storage_.v6.sin6_port && a.scope() == b.scope() &&
           IN6_ARE_ADDR_EQUAL(&a.storage_.v6.sin6_addr, &b.storage_.v6.sin6_addr);
  return a.path() == b.path();
}

}  // namespace superd

std::size_t std::hash<superd::Endpoint>::operator()(const superd::Endpoint& endpoint) const noexcept {
  if (endpoint.is_unix()) return std::hash<std::string_view>{}(endpoint.path());
  std::uint64_t high = 0, low = 0;
  if (endpoint.is_v4()) {
    sockaddr_in v4;
    std::memcpy(&v4, endpoint.address(), sizeof v4);
    low = v4.sin_addr.s_addr;
  } else if (endpoint.is_v6()) {
    sockaddr_in6 v6;
    std::memcpy(&v6, endpoint.address(), sizeof v6);
    std::memcpy(&high, &v6.sin6_addr.s6_addr[0], 8);
    std::memcpy(&low, &v6.sin6_addr.s6_addr[8], 8);
  }
  const std::uint64_t rest =
      std::uint64_t{endpoint.family()} << 48 | std::uint64_t{endpoint.port()} << 32 | endpoint.scope();
  return superd::mix(superd::mix(high, low), rest);
}
