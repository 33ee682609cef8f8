#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "superd/net/endpoint.h"

namespace superd {

/// The checksum of IPv4, ICMP, IGMP, UDP and TCP (RFC 1071), taken piece by piece. The value is in host order, for
/// store16(). Over bytes that hold their right checksum it is 0.
class InternetChecksum {
 public:
  /// The next bytes. All pieces but the last have an even length: the sum is one of 16-bit words.
  InternetChecksum& add(std::span<const std::byte> bytes) noexcept;
  /// What IPv6 has its upper layers sum first (RFC 8200, 8.1): both addresses, the length of header and payload of the
  /// upper layer, and its protocol.
  InternetChecksum& add_pseudo_header(const in6_addr& source, const in6_addr& destination, std::uint32_t length,
                                      std::uint8_t protocol) noexcept;

  [[nodiscard]] std::uint16_t value() const noexcept {
    auto sum = sum_;
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    const auto word = static_cast<std::uint16_t>(~sum);
    // Words were summed in the order of this machine; swapped bytes have a swapped sum (RFC 1071, 2.B).
    return std::endian::native == std::endian::little ? std::byteswap(word) : word;
  }

 private:
  std::uint64_t sum_ = 0;  // of 32-bit halves: room for 2^32 of them
};

[[nodiscard]] inline std::uint16_t internet_checksum(std::span<const std::byte> bytes) noexcept {
  return InternetChecksum().add(bytes).value();
}

/// A checksum after one of its 16-bit words has changed from `before` to `after` (RFC 1624, equation 3).
[[nodiscard]] constexpr std::uint16_t changed_checksum(std::uint16_t checksum, std::uint16_t before,
                                                       std::uint16_t after) noexcept {
  std::uint32_t sum =
      static_cast<std::uint16_t>(~checksum) + std::uint32_t{static_cast<std::uint16_t>(~before)} + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum += sum >> 16;
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace superd
