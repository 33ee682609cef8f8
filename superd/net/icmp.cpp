#include "superd/net/icmp.h"

#include "superd/net/internet_checksum.h"
#include "superd/net/ip_header.h"

namespace superd {
namespace {

constexpr bool is_v6(IcmpVersion version) noexcept { return version == IcmpVersion::v6; }

template <class View>
std::expected<QuotedPacket, PacketFault> quote_of(const View& packet, std::uint8_t ttl, bool is_later_fragment) {
  return QuotedPacket{.source = packet.source(),
                      .destination = packet.destination(),
                      .protocol = packet.protocol(),
                      .ttl = ttl,
                      .is_later_fragment = is_later_fragment,
                      .transport = packet.payload()};
}

InternetChecksum sum_v6(std::span<const std::byte> message, const Endpoint& source, const Endpoint& destination) {
  InternetChecksum sum;
  sum.add_pseudo_header(address_v6(source), address_v6(destination), static_cast<std::uint32_t>(message.size()),
                        IPPROTO_ICMPV6);
  return sum.add(message);
}

}  // namespace

IcmpView::Parsed IcmpView::parse_verified(IcmpVersion version, std::span<const std::byte> message) noexcept {
  if (message.size() < header_size) return std::unexpected(PacketFault::short_packet);
  return IcmpView(version, message);
}

IcmpView::Parsed IcmpView::parse_v4(std::span<const std::byte> message) noexcept {
  auto view = parse_verified(IcmpVersion::v4, message);
  if (view && internet_checksum(message) != 0) return std::unexpected(PacketFault::checksum);
  return view;
}

IcmpView::Parsed IcmpView::parse_v6(std::span<const std::byte> message, const Endpoint& source,
                                    const Endpoint& destination) noexcept {
  if (!source.is_v6() || !destination.is_v6()) return std::unexpected(PacketFault::address_family);
  auto view = parse_verified(IcmpVersion::v6, message);
  if (view && sum_v6(message, source, destination).value() != 0) return std::unexpected(PacketFault::checksum);
  return view;
}

bool IcmpView::is_echo_request() const noexcept {
  return type() == (is_v6(version_) ? icmp_v6::echo_request : icmp_v4::echo_request);
}

bool IcmpView::is_echo_reply() const noexcept {
  return type() == (is_v6(version_) ? icmp_v6::echo_reply : icmp_v4::echo_reply);
}

bool IcmpView::is_error() const noexcept {
  if (is_v6(version_)) return type() < 128;  // RFC 4443, 2.1
  switch (type()) {
    case icmp_v4::unreachable:
    case icmp_v4::source_quench:
    case icmp_v4::redirect:
    case icmp_v4::time_exceeded:
    case icmp_v4::parameter_problem: return true;
    default: return false;
  }
}

bool IcmpView::is_unreachable() const noexcept {
  return type() == (is_v6(version_) ? icmp_v6::unreachable : icmp_v4::unreachable);
}

bool IcmpView::is_time_exceeded() const noexcept {
  return type() == (is_v6(version_) ? icmp_v6::time_exceeded : icmp_v4::time_exceeded);
}

std::uint32_t IcmpView::mtu() const noexcept {
  if (is_v6(version_)) return type() == icmp_v6::packet_too_big ? load32(&bytes_[4]) : 0;
  const bool says = type() == icmp_v4::unreachable && code() == icmp_v4::fragmentation_needed;
  return says ? load16(&bytes_[6]) : 0;
}

std::size_t IcmpView::quote_length() const noexcept {
  if (!is_unreachable() && !is_time_exceeded() && (is_v6(version_) || type() != icmp_v4::parameter_problem)) return 0;
  // In words of 64 bits, in the first byte of the second word; or of 32 bits, in its second byte.
  return is_v6(version_) ? std::to_integer<std::size_t>(bytes_[4]) * 8 : std::to_integer<std::size_t>(bytes_[5]) * 4;
}

std::expected<QuotedPacket, PacketFault> IcmpView::quoted() const noexcept {
  const auto length = quote_length();
  if (!is_error() || length > body().size()) return std::unexpected(PacketFault::quote);
  const auto quote = length == 0 ? body() : body().first(length);
  if (is_v6(version_)) {
    const auto packet = Ipv6View::parse_quoted(quote);
    if (!packet) return std::unexpected(PacketFault::quote);
    return quote_of(*packet, packet->hop_limit(), packet->is_later_fragment());
  }
  const auto packet = Ipv4View::parse_quoted(quote);
  if (!packet) return std::unexpected(PacketFault::quote);
  return quote_of(*packet, packet->ttl(), packet->fragment_offset() != 0);
}

std::span<const std::byte> IcmpView::extensions() const noexcept {
  constexpr std::size_t extension_header = 4;
  const auto length = quote_length();
  if (length == 0 || body().size() < length + extension_header) return {};
  const auto found = body().subspan(length);
  if (std::to_integer<unsigned>(found[0]) >> 4 != 2) return {};
  // A checksum of 0 says that none was sent.
  if (load16(&found[2]) != 0 && internet_checksum(found) != 0) return {};
  return found;
}

bool write_icmp_unsummed(const IcmpFields& fields, std::span<std::byte> message) noexcept {
  if (message.size() < IcmpView::header_size) return false;
  message[0] = std::byte{fields.type};
  message[1] = std::byte{fields.code};
  store16(0, &message[2]);
  store16(fields.id, &message[4]);
  store16(fields.sequence, &message[6]);
  return true;
}

bool write_icmp_v4(const IcmpFields& fields, std::span<std::byte> message) noexcept {
  if (!write_icmp_unsummed(fields, message)) return false;
  store16(internet_checksum(message), &message[2]);
  return true;
}

bool write_icmp_v6(const IcmpFields& fields, std::span<std::byte> message, const Endpoint& source,
                   const Endpoint& destination) noexcept {
  if (!source.is_v6() || !destination.is_v6() || !write_icmp_unsummed(fields, message)) return false;
  store16(sum_v6(message, source, destination).value(), &message[2]);
  return true;
}

bool turn_into_echo_reply(IcmpVersion version, std::span<std::byte> message) noexcept {
  const auto view = IcmpView::parse_verified(version, message);
  if (!view || !view->is_echo_request()) return false;
  const auto reply = is_v6(version) ? icmp_v6::echo_reply : icmp_v4::echo_reply;
  const auto before = load16(message.data());
  message[0] = std::byte{reply};
  store16(changed_checksum(load16(&message[2]), before, load16(message.data())), &message[2]);
  return true;
}

}  // namespace superd
