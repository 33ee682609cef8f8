#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "superd/net/endpoint.h"

namespace superd {

/// A socket address of either family as the kernel wants it, a quarter of an Endpoint in size: there is one for each
/// packet of a batch.
union ProbeAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;

  [[nodiscard]] socklen_t size() const noexcept { return any.sa_family == AF_INET ? sizeof v4 : sizeof v6; }
};

/// `scope`: the interface of a link-local address, else 0.
[[nodiscard]] ProbeAddress probe_address(const AddressBits& bits, std::uint32_t scope, std::uint16_t port = 0) noexcept;
/// All zeros where the family is neither.
[[nodiscard]] AddressBits bits_of(const ProbeAddress& address) noexcept;
/// "127.0.0.1", "::1".
[[nodiscard]] std::string text_of(const AddressBits& bits);

/// The address so many further.
[[nodiscard]] constexpr AddressBits operator+(const AddressBits& bits, std::uint64_t steps) noexcept {
  const auto low = bits.low + steps;
  return {bits.high + (low < steps ? 1 : 0), low};
}
/// How much further `to` is than `from`; the most where it lies before it, or beyond 2^64.
[[nodiscard]] constexpr std::uint64_t distance(const AddressBits& from, const AddressBits& to) noexcept {
  const auto borrow = to.low < from.low ? 1U : 0U;
  return to.high - from.high - borrow == 0 ? to.low - from.low : ~std::uint64_t{0};
}

}  // namespace superd
