#include "superd/net/ip_header.h"

#include <algorithm>
#include <cstring>

#include "superd/net/internet_checksum.h"

namespace superd {
namespace {

constexpr std::size_t longest_packet = 65535, longest_options = 40, last_offset = 65528, least_extension = 8;

std::uint8_t number_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

/// Length of an extension header that begins `bytes` and is of this type (RFC 8200, 4; RFC 4302, 2.2); 0: it is none.
std::size_t extension_length(std::uint8_t type, std::span<const std::byte> bytes) noexcept {
  switch (type) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS: return (std::size_t{number_at(bytes, 1)} + 1) * 8;
    case IPPROTO_FRAGMENT: return 8;
    case IPPROTO_AH: return (std::size_t{number_at(bytes, 1)} + 2) * 4;
    default: return 0;
  }
}

}  // namespace

Ipv4View::Parsed Ipv4View::parse_quoted(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < least_header) return std::unexpected(PacketFault::short_packet);
  if (number_at(bytes, 0) >> 4 != 4) return std::unexpected(PacketFault::version);
  const std::size_t header = (number_at(bytes, 0) & 0xfU) * 4;
  if (header < least_header || header > bytes.size()) return std::unexpected(PacketFault::header_length);
  const std::size_t total = load16(&bytes[2]);
  if (total < header) return std::unexpected(PacketFault::total_length);
  return Ipv4View(bytes.first(std::min(bytes.size(), total)), header);
}

Ipv4View::Parsed Ipv4View::parse(std::span<const std::byte> bytes) noexcept {
  auto view = parse_quoted(bytes);
  if (view && view->is_cut()) return std::unexpected(PacketFault::total_length);
  return view;
}

bool Ipv4View::has_right_checksum() const noexcept { return internet_checksum(header()) == 0; }

std::expected<std::size_t, PacketFault> write_ipv4_header(const Ipv4Fields& fields, std::size_t payload,
                                                          std::span<std::byte> into) noexcept {
  if (!fields.source.is_v4() || !fields.destination.is_v4()) return std::unexpected(PacketFault::address_family);
  if (fields.options.size() % 4 != 0 || fields.options.size() > longest_options)
    return std::unexpected(PacketFault::options);
  if (fields.fragment_offset % 8 != 0 || fields.fragment_offset > last_offset)
    return std::unexpected(PacketFault::fragment_offset);
  const auto header = Ipv4View::least_header + fields.options.size();
  if (payload > longest_packet - header) return std::unexpected(PacketFault::too_long);
  if (into.size() < header) return std::unexpected(PacketFault::no_room);

  into[0] = static_cast<std::byte>(0x40 | header / 4);
  into[1] = std::byte{fields.tos};
  store16(static_cast<std::uint16_t>(header + payload), &into[2]);
  store16(fields.id, &into[4]);
  const unsigned flags = (fields.dont_fragment ? 0x4000U : 0U) | (fields.more_fragments ? 0x2000U : 0U);
  store16(static_cast<std::uint16_t>(flags | fields.fragment_offset / 8), &into[6]);
  into[8] = std::byte{fields.ttl};
  into[9] = std::byte{fields.protocol};
  store16(0, &into[10]);
  std::memcpy(&into[12], &address_v4(fields.source), sizeof(in_addr));
  std::memcpy(&into[16], &address_v4(fields.destination), sizeof(in_addr));
  std::ranges::copy(fields.options, into.begin() + Ipv4View::least_header);
  store16(internet_checksum(into.first(header)), &into[10]);
  return header;
}

std::expected<Ipv6View, PacketFault> Ipv6View::parse_quoted(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < header_size) return std::unexpected(PacketFault::short_packet);
  if (number_at(bytes, 0) >> 4 != 6) return std::unexpected(PacketFault::version);
  Ipv6View view(bytes.first(std::min(bytes.size(), header_size + load16(&bytes[4]))));
  // Each step goes forward by at least eight bytes, so this ends.
  while (!view.is_later_fragment_) {
    const auto rest = view.payload();
    if (rest.size() < least_extension) break;
    const auto length = extension_length(view.protocol_, rest);
    if (length == 0) break;
    if (length > rest.size()) return std::unexpected(PacketFault::header_length);
    view.is_later_fragment_ = view.protocol_ == IPPROTO_FRAGMENT && load16(&rest[2]) >> 3 != 0;
    view.protocol_ = number_at(rest, 0);
    view.payload_ += length;
  }
  return view;
}

}  // namespace superd
