#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace superd {

/// The commands of FSP version 2 (its PROTOCOL document, 0.19). An answer has the command of its request, or `error`.
enum class FspCommand : std::uint8_t {
  version = 0x10,
  error = 0x40,
  get_directory = 0x41,
  get_file = 0x42,
  upload = 0x43,
  install = 0x44,
  delete_file = 0x45,
  delete_directory = 0x46,
  get_protection = 0x47,
  set_protection = 0x48,
  make_directory = 0x49,
  bye = 0x4a,
  grab_file = 0x4b,
  grab_done = 0x4c,
  stat = 0x4d,
  rename = 0x4e,
};

/// Which way a packet goes: its checksum begins with its size on the way to the server, with 0 on the way back.
enum class FspWay : std::uint8_t { to_server, to_client };

/// A packet in its parts. Refers to the bytes it was parsed from.
struct FspPacket {
  FspCommand command{};
  std::uint16_t key = 0;       ///< the server's: the next request carries that of the last answer
  std::uint16_t sequence = 0;  ///< the client's: the answer carries that of its request
  std::uint32_t position = 0;
  std::span<const std::byte> data;
  std::span<const std::byte> extra;  ///< what follows the data
};

namespace fsp {
constexpr std::size_t header = 12;
constexpr std::size_t payload = 1024;  ///< data and extra data, where nothing else has been agreed upon
/// The most that is agreed upon: what a datagram carries over IPv4, in whole kibibytes.
constexpr std::size_t largest_payload = 63 * 1024;
}  // namespace fsp

/// Nothing where the header or the data are cut short, or the checksum is wrong.
[[nodiscard]] std::optional<FspPacket> parse_fsp(std::span<const std::byte> bytes, FspWay way) noexcept;

/// Writes the packet; `into` has room for it: fsp::header, data and extra data. Returns its size. The data may lie where
/// they will be in the packet.
std::size_t build_fsp(const FspPacket& packet, FspWay way, std::span<std::byte> into) noexcept;

/// The key of a packet that was not looked at otherwise, which has a whole header.
[[nodiscard]] std::uint16_t key_of_fsp(std::span<const std::byte> bytes) noexcept;

/// A name as requests carry it: up to its NUL, and a password behind a line feed.
struct FspName {
  std::string_view name, password;
};
[[nodiscard]] FspName name_of_fsp(std::span<const std::byte> data) noexcept;

/// The preferred size in the extra data of a request (get_directory, get_file, get_protection).
[[nodiscard]] std::optional<std::uint16_t> wanted_size_of_fsp(std::span<const std::byte> extra) noexcept;

/// What a file is, in directories and as the answer to `stat`.
enum class FspType : std::uint8_t { end = 0, file = 1, directory = 2, skip = 0x2a };

struct FspStat {
  std::uint32_t time = 0;  ///< seconds since 1970
  std::uint32_t size = 0;
  FspType type = FspType::end;  ///< `end`: there is no such file

  static constexpr std::size_t bytes = 9;
  friend bool operator==(const FspStat&, const FspStat&) = default;
};
void write_fsp_stat(const FspStat& stat, std::byte* into) noexcept;  ///< FspStat::bytes
[[nodiscard]] std::optional<FspStat> parse_fsp_stat(std::span<const std::byte> data) noexcept;

/// What the answer to `version` tells beside its text.
struct FspVersion {
  enum Flag : std::uint8_t {
    logs = 1,
    read_only = 2,
    names_only = 4,
    is_private = 8,
    is_throttled = 16,
    takes_extra = 32
  };
  std::uint8_t flags = 0;
  std::uint32_t most_per_second = 0;  ///< with is_throttled
  std::uint16_t payload = 0;          ///< the most it sends; 0: not told

  friend bool operator==(const FspVersion&, const FspVersion&) = default;
};
[[nodiscard]] std::vector<std::byte> bytes_of(const FspVersion& version);
[[nodiscard]] std::optional<FspVersion> parse_fsp_version(std::span<const std::byte> extra) noexcept;

/// The bits that the answers to get_protection have for a directory. `fetch` as servers and clients have it; the document
/// says the contrary.
namespace fsp_right {
constexpr std::uint8_t owner = 0x01, remove = 0x02, add = 0x04, make_directory = 0x08, fetch = 0x10, readme = 0x20,
                       list = 0x40, rename = 0x80;
}

}  // namespace superd
