// Whatever arrives as an FSP packet is refused, or lies inside what arrived and builds back to the same bytes; and no
// directory block makes up names.

#include <cstdlib>
#include <cstring>
#include <vector>

#include "superd/services/fsp/directory.h"

using namespace superd;

namespace {

void look_at(std::span<const std::byte> bytes, FspWay way) {
  const auto packet = parse_fsp(bytes, way);
  if (!packet) return;
  if (fsp::header + packet->data.size() + packet->extra.size() != bytes.size()) std::abort();
  std::vector<std::byte> again(bytes.size());
  if (build_fsp(*packet, way, again) != bytes.size()) std::abort();
  if (std::memcmp(again.data(), bytes.data(), bytes.size()) != 0) std::abort();

  const auto [name, password] = name_of_fsp(packet->data);
  if (name.size() + password.size() > packet->data.size() || name.contains('\0') || name.contains('\n')) std::abort();
  if (wanted_size_of_fsp(packet->extra) == 0) std::abort();
  if (const auto version = parse_fsp_version(packet->extra); version && !parse_fsp_version(bytes_of(*version)))
    std::abort();
  std::vector<FspEntry> entries;
  parse_fsp_block(packet->data, entries);
  for (const auto& entry : entries)
    if (entry.name.size() > packet->data.size() || entry.stat.type == FspType::end) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size) std::memcpy(bytes.data(), data, size);
  for (const auto way : {FspWay::to_server, FspWay::to_client}) {
    look_at(bytes, way);
    // With a right checksum, so that what lies behind it is looked at too.
    if (size < fsp::header) continue;
    auto right = bytes;
    const auto length = static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[6]) % (size - fsp::header + 1));
    const auto rest = std::span(bytes).subspan(fsp::header);
    build_fsp({static_cast<FspCommand>(data[0]), 1, 2, 3, rest.first(length), rest.subspan(length)}, way, right);
    look_at(right, way);
  }
  return 0;
}
