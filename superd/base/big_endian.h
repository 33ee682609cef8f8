#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace superd {

/// Numbers in network byte order, at any address.
template <class Number>
[[nodiscard]] Number load_big_endian(const std::byte* from) noexcept {
  Number number;
  std::memcpy(&number, from, sizeof number);
  return std::endian::native == std::endian::little ? std::byteswap(number) : number;
}
template <class Number>
void store_big_endian(Number number, std::byte* to) noexcept {
  if constexpr (std::endian::native == std::endian::little) number = std::byteswap(number);
  std::memcpy(to, &number, sizeof number);
}

[[nodiscard]] inline std::uint16_t load16(const std::byte* from) noexcept {
  return load_big_endian<std::uint16_t>(from);
}
[[nodiscard]] inline std::uint32_t load32(const std::byte* from) noexcept {
  return load_big_endian<std::uint32_t>(from);
}
inline void store16(std::uint16_t number, std::byte* to) noexcept { store_big_endian(number, to); }
inline void store32(std::uint32_t number, std::byte* to) noexcept { store_big_endian(number, to); }

}  // namespace superd
