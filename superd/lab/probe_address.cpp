#include "superd/lab/probe_address.h"

#include <arpa/inet.h>

#include "superd/base/big_endian.h"

namespace superd {
namespace {

constexpr std::uint64_t mapped_low = 0xffffULL << 32;  // ::ffff:0:0/96 (RFC 4291, 2.5.5.2)

std::byte* bytes_of(in6_addr& address) noexcept { return reinterpret_cast<std::byte*>(&address); }
const std::byte* bytes_of(const in6_addr& address) noexcept { return reinterpret_cast<const std::byte*>(&address); }

}  // namespace

ProbeAddress probe_address(const AddressBits& bits, std::uint32_t scope, std::uint16_t port) noexcept {
  ProbeAddress address{.v6 = {}};
  if (bits.is_v4()) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    address.v4.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(bits.low));
    return address;
  }
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = htons(port);
  address.v6.sin6_scope_id = scope;
  store_big_endian(bits.high, bytes_of(address.v6.sin6_addr));
  store_big_endian(bits.low, bytes_of(address.v6.sin6_addr) + 8);
  return address;
}

AddressBits bits_of(const ProbeAddress& address) noexcept {
  if (address.any.sa_family == AF_INET) return {0, mapped_low | ntohl(address.v4.sin_addr.s_addr)};
  if (address.any.sa_family != AF_INET6) return {};
  const auto* const bytes = bytes_of(address.v6.sin6_addr);
  return {load_big_endian<std::uint64_t>(bytes), load_big_endian<std::uint64_t>(bytes + 8)};
}

std::string text_of(const AddressBits& bits) {
  const auto address = probe_address(bits, 0);
  char text[INET6_ADDRSTRLEN];
  if (bits.is_v4()) return ::inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
  return ::inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
}

}  // namespace superd
