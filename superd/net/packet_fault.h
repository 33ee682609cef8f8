#pragma once

#include <cstdint>
#include <string_view>

namespace superd {

/// Why bytes are not the packet they were taken for, or why none can be written.
enum class PacketFault : std::uint8_t {
  short_packet,     ///< ends before its header does
  version,          ///< of another version of IP
  header_length,    ///< less than a header has, or beyond the end
  total_length,     ///< less than the header, or beyond the end
  checksum,         ///< was damaged on its way
  quote,            ///< an ICMP error whose quoted packet cannot be read
  list,             ///< a list inside goes beyond the end
  unknown_type,     ///< a message that no document describes
  no_room,          ///< the bytes it should be written to are too few
  too_long,         ///< more than 65535 bytes
  address_family,   ///< an address of the other version of IP
  options,          ///< no multiple of four bytes, or more than forty
  fragment_offset,  ///< no multiple of eight, or beyond 65528
};

/// Lower case, as it stands in a message.
[[nodiscard]] constexpr std::string_view text_of(PacketFault fault) noexcept {
  constexpr std::string_view texts[] = {
      "it ends before its header does",
      "it is of another version of IP",
      "its header's length is wrong",
      "its total length is wrong",
      "its checksum is wrong",
      "the packet quoted in it cannot be read",
      "a list in it goes beyond its end",
      "its type is unknown",
      "there is no room for it",
      "it would be longer than 65535 bytes",
      "an address is of the other version of IP",
      "options are a multiple of 4 bytes, at most 40",
      "a fragment's offset is a multiple of 8, at most 65528",
  };
  return texts[static_cast<std::size_t>(fault)];
}

}  // namespace superd
