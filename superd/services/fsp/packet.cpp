#include "superd/services/fsp/packet.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "superd/base/big_endian.h"

namespace superd {

namespace {

// Where the fields of the header are.
constexpr std::size_t command_at = 0, sum_at = 1, key_at = 2, sequence_at = 4, size_at = 6, position_at = 8;

// Of a packet whose checksum byte is 0.
std::byte checksum(std::span<const std::byte> packet, FspWay way) noexcept {
  const std::uint32_t first = way == FspWay::to_server ? static_cast<std::uint32_t>(packet.size()) : 0;
  const auto sum = std::accumulate(packet.begin(), packet.end(), first, [](std::uint32_t so_far, std::byte next) {
    return so_far + std::to_integer<std::uint32_t>(next);
  });
  return static_cast<std::byte>(sum + (sum >> 8));
}

// The same without a copy of the packet to put the 0 into.
std::byte checksum_wanted(std::span<const std::byte> packet, FspWay way) noexcept {
  const std::uint32_t first = way == FspWay::to_server ? static_cast<std::uint32_t>(packet.size()) : 0;
  const auto sum = std::accumulate(
      packet.begin(), packet.end(), first - std::to_integer<std::uint32_t>(packet[sum_at]),
      [](std::uint32_t so_far, std::byte next) { return so_far + std::to_integer<std::uint32_t>(next); });
  return static_cast<std::byte>(sum + (sum >> 8));
}

void copy(std::span<const std::byte> from, std::byte* to) noexcept {
  if (!from.empty()) std::memmove(to, from.data(), from.size());
}

}  // namespace

std::optional<FspPacket> parse_fsp(std::span<const std::byte> bytes, FspWay way) noexcept {
  if (bytes.size() < fsp::header || bytes[sum_at] != checksum_wanted(bytes, way)) return {};
  const auto rest = bytes.subspan(fsp::header);
  const std::size_t size = load16(&bytes[size_at]);
  if (size > rest.size()) return {};
  return FspPacket{static_cast<FspCommand>(bytes[command_at]),
                   load16(&bytes[key_at]),
                   load16(&bytes[sequence_at]),
                   load32(&bytes[position_at]),
                   rest.first(size),
                   rest.subspan(size)};
}

std::size_t build_fsp(const FspPacket& packet, FspWay way, std::span<std::byte> into) noexcept {
  const auto size = fsp::header + packet.data.size() + packet.extra.size();
  const auto whole = into.first(size);
  copy(packet.data, &whole[0] + fsp::header);
  copy(packet.extra, &whole[0] + fsp::header + packet.data.size());
  whole[command_at] = static_cast<std::byte>(packet.command);
  whole[sum_at] = std::byte{0};
  store16(packet.key, &whole[key_at]);
  store16(packet.sequence, &whole[sequence_at]);
  store16(static_cast<std::uint16_t>(packet.data.size()), &whole[size_at]);
  store32(packet.position, &whole[position_at]);
  whole[sum_at] = checksum(whole, way);
  return size;
}

std::uint16_t key_of_fsp(std::span<const std::byte> bytes) noexcept { return load16(&bytes[key_at]); }

FspName name_of_fsp(std::span<const std::byte> data) noexcept {
  std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  text = text.substr(0, text.find('\0'));
  const auto end = text.find('\n');
  if (end == text.npos) return {text, {}};
  return {text.substr(0, end), text.substr(end + 1)};
}

std::optional<std::uint16_t> wanted_size_of_fsp(std::span<const std::byte> extra) noexcept {
  if (extra.size() < 2) return {};
  const auto size = load16(extra.data());
  if (size == 0) return {};
  return size;
}

void write_fsp_stat(const FspStat& stat, std::byte* into) noexcept {
  store32(stat.time, into);
  store32(stat.size, into + 4);
  into[8] = static_cast<std::byte>(stat.type);
}

std::optional<FspStat> parse_fsp_stat(std::span<const std::byte> data) noexcept {
  if (data.size() < FspStat::bytes) return {};
  return FspStat{load32(data.data()), load32(&data[4]), static_cast<FspType>(data[8])};
}

std::vector<std::byte> bytes_of(const FspVersion& version) {
  std::vector<std::byte> bytes{static_cast<std::byte>(version.flags)};
  if (version.flags & FspVersion::is_throttled) {
    bytes.resize(bytes.size() + 4);
    store32(version.most_per_second, &bytes[bytes.size() - 4]);
  }
  bytes.resize(bytes.size() + 2);
  store16(version.payload, &bytes[bytes.size() - 2]);
  return bytes;
}

std::optional<FspVersion> parse_fsp_version(std::span<const std::byte> extra) noexcept {
  if (extra.empty()) return {};
  FspVersion version;
  version.flags = std::to_integer<std::uint8_t>(extra[0]);
  auto rest = extra.subspan(1);
  if (version.flags & FspVersion::is_throttled) {
    if (rest.size() < 4) return version;
    version.most_per_second = load32(rest.data());
    rest = rest.subspan(4);
  }
  if (rest.size() >= 2) version.payload = load16(rest.data());
  return version;
}

}  // namespace superd
