#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "superd/base/big_endian.h"
#include "superd/net/packet_address.h"
#include "superd/net/packet_fault.h"

namespace superd {

enum class IcmpVersion : std::uint8_t { v4, v6 };

/// The types that are dealt with, as the two versions have them (RFC 792; RFC 4443). Others are numbers.
namespace icmp_v4 {
constexpr std::uint8_t echo_reply = 0, unreachable = 3, source_quench = 4, redirect = 5, echo_request = 8,
                       time_exceeded = 11, parameter_problem = 12;
constexpr std::uint8_t net_unreachable = 0, host_unreachable = 1, protocol_unreachable = 2, port_unreachable = 3,
                       fragmentation_needed = 4;  // codes of `unreachable`
}  // namespace icmp_v4
namespace icmp_v6 {
constexpr std::uint8_t unreachable = 1, packet_too_big = 2, time_exceeded = 3, parameter_problem = 4,
                       echo_request = 128, echo_reply = 129;
constexpr std::uint8_t no_route = 0, prohibited = 1, address_unreachable = 3, port_unreachable = 4;  // of `unreachable`
}  // namespace icmp_v6

/// The packet that an ICMP error is about, or as much of it as the error quotes.
struct QuotedPacket {
  Endpoint source, destination;          ///< without port
  std::uint8_t protocol = 0;             ///< of `transport`
  std::uint8_t ttl = 0;                  ///< it had left
  bool is_later_fragment = false;        ///< `transport` has no header then
  std::span<const std::byte> transport;  ///< may be empty: RFC 792 quotes 8 bytes, RFC 1812 more, some hosts none

  [[nodiscard]] bool has_ports() const noexcept { return !is_later_fragment && transport.size() >= 4; }
  [[nodiscard]] std::uint16_t source_port() const noexcept { return load16(&transport[0]); }       ///< if has_ports()
  [[nodiscard]] std::uint16_t destination_port() const noexcept { return load16(&transport[2]); }  ///< if has_ports()
  /// Of an echo: is its id and sequence there?
  [[nodiscard]] bool has_echo() const noexcept {
    return !is_later_fragment && transport.size() >= 8 && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6);
  }
  [[nodiscard]] std::uint16_t id() const noexcept { return load16(&transport[4]); }        ///< if has_echo()
  [[nodiscard]] std::uint16_t sequence() const noexcept { return load16(&transport[6]); }  ///< if has_echo()
};

/// An ICMP or ICMPv6 message in bytes that somebody else owns; both have the same shape.
class IcmpView {
 public:
  static constexpr std::size_t header_size = 8;
  using Parsed = std::expected<IcmpView, PacketFault>;

  /// Verifies the checksum: on Linux a raw socket is given ICMP messages whatever theirs is.
  [[nodiscard]] static Parsed parse_v4(std::span<const std::byte> message) noexcept;
  /// Verifies the checksum, which includes the addresses of the packet.
  [[nodiscard]] static Parsed parse_v6(std::span<const std::byte> message, const Endpoint& source,
                                       const Endpoint& destination) noexcept;
  /// Without a look at the checksum: the kernel has verified it (ICMPv6, and any ping socket).
  [[nodiscard]] static Parsed parse_verified(IcmpVersion version, std::span<const std::byte> message) noexcept;

  [[nodiscard]] IcmpVersion version() const noexcept { return version_; }
  [[nodiscard]] std::uint8_t type() const noexcept { return std::to_integer<std::uint8_t>(bytes_[0]); }
  [[nodiscard]] std::uint8_t code() const noexcept { return std::to_integer<std::uint8_t>(bytes_[1]); }
  [[nodiscard]] std::uint16_t checksum() const noexcept { return load16(&bytes_[2]); }
  [[nodiscard]] std::uint16_t id() const noexcept { return load16(&bytes_[4]); }        ///< of an echo
  [[nodiscard]] std::uint16_t sequence() const noexcept { return load16(&bytes_[6]); }  ///< of an echo
  [[nodiscard]] std::span<const std::byte> message() const noexcept { return bytes_; }
  [[nodiscard]] std::span<const std::byte> body() const noexcept { return bytes_.subspan(header_size); }

  [[nodiscard]] bool is_echo_request() const noexcept;
  [[nodiscard]] bool is_echo_reply() const noexcept;
  /// It is about a packet that somebody sent, and must not be answered (RFC 1122, 3.2.2; RFC 4443, 2.4).
  [[nodiscard]] bool is_error() const noexcept;
  [[nodiscard]] bool is_unreachable() const noexcept;
  [[nodiscard]] bool is_time_exceeded() const noexcept;
  /// The most that fits through, of "fragmentation needed" (RFC 1191) or "packet too big"; 0: it does not say.
  [[nodiscard]] std::uint32_t mtu() const noexcept;

  /// The packet that an error is about. A quote that is too short for its own header, or a length field that goes
  /// beyond the message (RFC 4884), is a fault.
  [[nodiscard]] std::expected<QuotedPacket, PacketFault> quoted() const noexcept;
  /// The extension structure behind the quote (RFC 4884, 7), such as MPLS labels; empty where there is none, or where
  /// its version or checksum is wrong.
  [[nodiscard]] std::span<const std::byte> extensions() const noexcept;

 private:
  IcmpView(IcmpVersion version, std::span<const std::byte> bytes) noexcept : bytes_(bytes), version_(version) {}
  [[nodiscard]] std::size_t quote_length() const noexcept;  // by RFC 4884; 0: all of the body

  std::span<const std::byte> bytes_;
  IcmpVersion version_;
};

/// What an ICMP header says; the checksum is reckoned.
struct IcmpFields {
  std::uint8_t type = 0, code = 0;
  std::uint16_t id = 0, sequence = 0;  ///< of an echo; of others, the second word of the header
};

/// Writes the header to the first 8 bytes of a message whose body is already behind it. False: there are fewer.
bool write_icmp_v4(const IcmpFields& fields, std::span<std::byte> message) noexcept;
/// The same with the pseudo header of IPv6. Not needed on an ICMPv6 socket, where the kernel fills in the checksum.
bool write_icmp_v6(const IcmpFields& fields, std::span<std::byte> message, const Endpoint& source,
                   const Endpoint& destination) noexcept;
/// Leaves the checksum to the kernel: 0.
bool write_icmp_unsummed(const IcmpFields& fields, std::span<std::byte> message) noexcept;

/// Makes the reply of an echo request in place: its type changes, and its checksum by that (RFC 1624). False: it is none.
/// Of ICMPv6 the exchange of the two addresses changes no sum.
bool turn_into_echo_reply(IcmpVersion version, std::span<std::byte> message) noexcept;

}  // namespace superd
