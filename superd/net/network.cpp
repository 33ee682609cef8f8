#include <arpa/inet.h>

#include <charconv>
#include <cstring>

#include "superd/base/words.h"
#include "superd/net/client_text.h"
#include "superd/net/endpoint.h"

namespace superd {
namespace {

constexpr std::uint64_t mapped_low = 0xffffULL << 32;  // ::ffff:0:0/96 (RFC 4291, 2.5.5.2)

// Not addresses: below ::ffff:0:0 there is nothing but ::1 and what nobody uses any more (RFC 4291, 2.5.5.1).
constexpr std::uint64_t user_low = 0xfffeULL << 32;
constexpr std::uint64_t nameless_low = 0xfffdULL << 32;
// Beside the first bits of a prefix, so that it is told from the clients in it.
constexpr std::uint64_t prefix_low = 0xfffcULL << 32;

using Bits = AddressBits;

std::uint64_t big_endian(const std::uint8_t* bytes) noexcept {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

bool is_link_local(const Bits& bits) noexcept { return bits.high >> 54 == 0xfe80 >> 6; }

constexpr std::uint64_t mask(int ones) noexcept {
  if (ones <= 0) return 0;
  return ones >= 64 ? ~0ULL : ~(~0ULL >> ones);
}

Bits prefix(const Bits& bits, int length) noexcept { return {bits.high & mask(length), bits.low & mask(length - 64)}; }

std::string address_text(const Bits& bits) {
  const Bits network{.high = htobe64(bits.high), .low = htobe64(bits.low)};
  in6_addr v6;
  std::memcpy(&v6.s6_addr[0], &network.high, 8);
  std::memcpy(&v6.s6_addr[8], &network.low, 8);
  char text[INET6_ADDRSTRLEN];
  if (bits.is_v4()) return ::inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof text);
  return ::inet_ntop(AF_INET6, &v6, text, sizeof text);
}

}  // namespace

AddressBits AddressBits::of(const Endpoint& endpoint) noexcept {
  if (endpoint.is_v4()) {
    sockaddr_in v4;
    std::memcpy(&v4, endpoint.address(), sizeof v4);
    return {0, mapped_low | ntohl(v4.sin_addr.s_addr)};
  }
  if (!endpoint.is_v6()) return {};
  sockaddr_in6 v6;
  std::memcpy(&v6, endpoint.address(), sizeof v6);
  return {big_endian(&v6.sin6_addr.s6_addr[0]), big_endian(&v6.sin6_addr.s6_addr[8])};
}

ClientKey ClientKey::of(const Endpoint& endpoint) noexcept {
  if (!endpoint.is_v4() && !endpoint.is_v6()) return {0, nameless_low};
  const auto bits = Bits::of(endpoint);
  // All neighbours share fe80::/64: they are told apart by the other half.
  const bool whole = bits.is_v4() || is_link_local(bits);
  return whole ? ClientKey{bits.high, bits.low} : ClientKey{bits.high, 0};
}

ClientKey ClientKey::of_user(std::uint32_t uid) noexcept { return {0, user_low | uid}; }

std::string text_of(const ClientKey& key) {
  const Bits bits{key.high, key.low};
  if (key.high == 0 && key.low >> 32 == user_low >> 32) return "uid " + std::to_string(key.low & 0xffff'ffff);
  if (key.high == 0 && key.low == nameless_low) return {};
  const bool whole = bits.is_v4() || is_link_local(bits);
  return whole ? address_text(bits) : address_text(bits) + "/64";
}

ClientKey ClientKey::prefix() const noexcept {
  if (Bits{high, low}.is_v4()) return {0, prefix_low | (low & 0xffff'ff00)};
  if (high == 0 && (low & ~0xffff'ffffULL) == user_low) return *this;
  if (high == 0 && low == nameless_low) return *this;
  return {high & mask(56), prefix_low};
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto endpoint = Endpoint::parse(text.substr(0, slash), 0);
  const auto refused = [&](const std::string& why) {
    return error('"' + escaped(text, 80) + "\" is not a network: " + why);
  };
  if (!endpoint || endpoint->scope() != 0)
    return refused("write an address and the length of its prefix, as in \"127.0.0.0/8\" or \"::1\"");

  const int most = endpoint->is_v4() ? 32 : 128;
  int length = most;
  if (slash != text.npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    const bool whole = failure == std::errc{} && end == digits.data() + digits.size();
    if (!whole || length < 0 || length > most || (digits.size() > 1 && digits.front() == '0'))
      return refused("the prefix is 0 to " + std::to_string(most) + " bits long");
  }

  const auto bits = Bits::of(*endpoint);
  Network network;
  network.bits_ = length + 128 - most;
  const auto kept = prefix(bits, network.bits_);
  network.high_ = kept.high;
  network.low_ = kept.low;
  if (kept.high != bits.high || kept.low != bits.low)
    return refused("it has bits behind its prefix; write \"" + network.text() + '"');
  return network;
}

bool Network::holds(const Endpoint& endpoint) const noexcept {
  if (!endpoint.is_v4() && !endpoint.is_v6()) return false;
  const auto bits = Bits::of(endpoint);
  // "::/0" is every IPv6 address and no IPv4 one, although mapped addresses begin with its bits too.
  if (bits.is_v4() && bits_ < 96) return false;
  const auto kept = prefix(bits, bits_);
  return kept.high == high_ && kept.low == low_;
}

std::string Network::text() const {
  const Bits bits{high_, low_};
  auto text = address_text(bits);
  if (bits_ == 128) return text;
  const bool is_v4 = bits_ >= 96 && bits.is_v4();
  return text + '/' + std::to_string(is_v4 ? bits_ - 96 : bits_);
}

}  // namespace superd
