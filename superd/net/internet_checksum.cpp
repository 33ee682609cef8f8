#include "superd/net/internet_checksum.h"

#include <cstring>

#include "superd/base/big_endian.h"

namespace superd {

InternetChecksum& InternetChecksum::add(std::span<const std::byte> bytes) noexcept {
  const auto* at = bytes.data();
  auto left = bytes.size();
  // Two sums side by side, so that one addition does not wait for the other.
  std::uint64_t low = 0, high = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    low += word & 0xffff'ffff;
    high += word >> 32;
  }
  if (left > 0) {  // the rest is followed by zeros, which add nothing
    std::uint64_t word = 0;
    std::memcpy(&word, at, left);
    low += word & 0xffff'ffff;
    high += word >> 32;
  }
  const auto folded = [](std::uint64_t sum) { return (sum & 0xffff'ffff) + (sum >> 32); };
  sum_ = folded(sum_) + folded(low) + folded(high);
  return *this;
}

InternetChecksum& InternetChecksum::add_pseudo_header(const in6_addr& source, const in6_addr& destination,
                                                      std::uint32_t length, std::uint8_t protocol) noexcept {
  std::byte rest[8]{};
  store32(length, rest);
  rest[7] = std::byte{protocol};
  return add(std::as_bytes(std::span(&source, 1))).add(std::as_bytes(std::span(&destination, 1))).add(rest);
}

}  // namespace superd
