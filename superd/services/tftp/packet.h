#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// The packets of TFTP (RFC 1350, 2347, 2348, 2349, 7440): pure functions from bytes and to bytes.
namespace superd::tftp {

enum class Opcode : std::uint16_t { read = 1, write, data, ack, error, oack };

enum class Code : std::uint16_t {
  undefined,
  not_found,
  access,
  disk_full,
  illegal,
  unknown_id,
  exists,
  no_user,
  option_refused,
};

/// What a request asks for besides the file, or what is granted of it; what is not set is not spoken of.
struct Options {
  std::optional<std::uint64_t> block_size;   ///< bytes, RFC 2348
  std::optional<std::uint64_t> timeout;      ///< seconds, RFC 2349
  std::optional<std::uint64_t> size;         ///< of the file, RFC 2349
  std::optional<std::uint64_t> window_size;  ///< blocks, RFC 7440

  [[nodiscard]] bool any() const noexcept { return block_size || timeout || size || window_size; }
  friend bool operator==(const Options&, const Options&) = default;
};

struct Request {
  bool writes = false;
  bool is_text = false;   ///< netascii
  std::string_view name;  ///< within the packet
  Options options;
};

/// Why a request is refused, as the client is told.
struct Refusal {
  Code code;
  std::string_view text;
};

/// Options that nobody knows, or whose value makes no sense, are left out, as RFC 2347 has it; of one that comes twice
/// the first holds. A number that is too large for anything is the largest there is.
[[nodiscard]] std::expected<Request, Refusal> parse_request(std::span<const std::byte> packet);

/// A packet of a transfer.
struct Packet {
  Opcode opcode;
  std::uint16_t number;             ///< the block's, or an error's code
  std::span<const std::byte> rest;  ///< the data
};
/// Data, acknowledgements and errors; nothing for all else.
[[nodiscard]] std::optional<Packet> parse_packet(std::span<const std::byte> packet) noexcept;

constexpr std::size_t head_size = 4;
using Head = std::array<std::byte, head_size>;
[[nodiscard]] Head head_of(Opcode opcode, std::uint16_t number) noexcept;

[[nodiscard]] std::vector<std::byte> error_packet(Code code, std::string_view text);
[[nodiscard]] std::vector<std::byte> oack_packet(const Options& granted);

constexpr std::size_t longest_request = 512;  // RFC 2347
constexpr std::uint64_t least_block = 8, default_block = 512, largest_block = 65'464;

}  // namespace superd::tftp
