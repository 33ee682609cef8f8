#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "superd/base/big_endian.h"
#include "superd/net/packet_address.h"
#include "superd/net/packet_fault.h"

namespace superd {

/// An IPv4 packet (RFC 791) in bytes that somebody else owns. What parse() has let pass is within them.
class Ipv4View {
 public:
  static constexpr std::size_t least_header = 20;
  using Parsed = std::expected<Ipv4View, PacketFault>;

  /// Verifies version, header length and total length, not the checksum: what a raw socket receives has passed the
  /// kernel. What is behind the total length, as the padding of a short frame, is no part of it.
  [[nodiscard]] static Parsed parse(std::span<const std::byte> bytes) noexcept;
  /// The beginning of a packet, as an ICMP error quotes it: its header is whole, its payload may be cut off.
  [[nodiscard]] static Parsed parse_quoted(std::span<const std::byte> bytes) noexcept;

  [[nodiscard]] bool has_right_checksum() const noexcept;  ///< of the header

  [[nodiscard]] Endpoint source() const noexcept { return packet_address_v4(&bytes_[12]); }
  [[nodiscard]] Endpoint destination() const noexcept { return packet_address_v4(&bytes_[16]); }
  [[nodiscard]] std::uint32_t source_number() const noexcept { return load32(&bytes_[12]); }       ///< host order
  [[nodiscard]] std::uint32_t destination_number() const noexcept { return load32(&bytes_[16]); }  ///< host order
  [[nodiscard]] std::uint8_t ttl() const noexcept { return byte_at(8); }
  [[nodiscard]] std::uint8_t protocol() const noexcept { return byte_at(9); }
  [[nodiscard]] std::uint8_t tos() const noexcept { return byte_at(1); }
  [[nodiscard]] std::uint16_t total_length() const noexcept { return load16(&bytes_[2]); }
  [[nodiscard]] std::uint16_t id() const noexcept { return load16(&bytes_[4]); }
  [[nodiscard]] std::uint16_t checksum() const noexcept { return load16(&bytes_[10]); }
  [[nodiscard]] bool dont_fragment() const noexcept { return (load16(&bytes_[6]) & 0x4000) != 0; }
  [[nodiscard]] bool more_fragments() const noexcept { return (load16(&bytes_[6]) & 0x2000) != 0; }
  [[nodiscard]] unsigned fragment_offset() const noexcept { return (load16(&bytes_[6]) & 0x1fffU) * 8; }  ///< bytes
  [[nodiscard]] bool is_fragment() const noexcept { return more_fragments() || fragment_offset() != 0; }

  [[nodiscard]] std::span<const std::byte> header() const noexcept { return bytes_.first(header_); }
  [[nodiscard]] std::span<const std::byte> options() const noexcept { return header().subspan(least_header); }
  [[nodiscard]] std::span<const std::byte> payload() const noexcept { return bytes_.subspan(header_); }
  [[nodiscard]] bool is_cut() const noexcept { return bytes_.size() < total_length(); }  ///< of a quoted one

 private:
  Ipv4View(std::span<const std::byte> bytes, std::size_t header) noexcept : bytes_(bytes), header_(header) {}
  [[nodiscard]] std::uint8_t byte_at(std::size_t at) const noexcept {
    return std::to_integer<std::uint8_t>(bytes_[at]);
  }

  std::span<const std::byte> bytes_;
  std::size_t header_;
};

/// What a header of one's own says (IP_HDRINCL, raw(7)); lengths and checksum are reckoned.
struct Ipv4Fields {
  Endpoint source, destination;
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 64;  ///< what RFC 1700 recommends
  std::uint8_t tos = 0;
  std::uint16_t id = 0;  ///< 0: Linux fills it in
  bool dont_fragment = false;
  bool more_fragments = false;
  unsigned fragment_offset = 0;             ///< bytes
  std::span<const std::byte> options = {};  ///< padded by the caller
};

/// Writes the header of a packet with `payload` bytes behind it to the beginning of `into`; gives the header's length.
[[nodiscard]] std::expected<std::size_t, PacketFault> write_ipv4_header(const Ipv4Fields& fields, std::size_t payload,
                                                                        std::span<std::byte> into) noexcept;

/// The beginning of an IPv6 packet (RFC 8200), as an ICMPv6 error quotes it, or a whole one. Extension headers are
/// skipped: the payload is that of the first upper layer.
class Ipv6View {
 public:
  static constexpr std::size_t header_size = 40;
  [[nodiscard]] static std::expected<Ipv6View, PacketFault> parse_quoted(std::span<const std::byte> bytes) noexcept;

  [[nodiscard]] Endpoint source() const noexcept { return packet_address_v6(&bytes_[8]); }
  [[nodiscard]] Endpoint destination() const noexcept { return packet_address_v6(&bytes_[24]); }
  [[nodiscard]] std::uint8_t hop_limit() const noexcept { return std::to_integer<std::uint8_t>(bytes_[7]); }
  [[nodiscard]] std::uint8_t traffic_class() const noexcept {
    return static_cast<std::uint8_t>(load16(bytes_.data()) >> 4);
  }
  [[nodiscard]] std::uint32_t flow_label() const noexcept { return load32(bytes_.data()) & 0xfffff; }
  [[nodiscard]] std::uint8_t protocol() const noexcept { return protocol_; }  ///< of the payload
  [[nodiscard]] std::span<const std::byte> payload() const noexcept { return bytes_.subspan(payload_); }
  [[nodiscard]] bool is_cut() const noexcept { return bytes_.size() - header_size < load16(&bytes_[4]); }
  [[nodiscard]] bool is_later_fragment() const noexcept { return is_later_fragment_; }  ///< has no upper header

 private:
  explicit Ipv6View(std::span<const std::byte> bytes) noexcept
      : bytes_(bytes), protocol_(std::to_integer<std::uint8_t>(bytes[6])) {}

  std::span<const std::byte> bytes_;
  std::size_t payload_ = header_size;
  std::uint8_t protocol_;
  bool is_later_fragment_ = false;
};

}  // namespace superd
