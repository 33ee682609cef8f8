#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace superd {

/// What TFTP servers and clients say to each other, as a client sees it (RFC 1350, RFC 2347).
struct TftpAnswer {
  enum class Kind : std::uint8_t { data = 3, acknowledgement = 4, error = 5, options = 6 };

  Kind kind{};
  std::uint16_t number = 0;                                    ///< of the block; of the error
  std::span<const std::byte> data;                             ///< of `data`
  std::string_view text;                                       ///< of `error`
  std::vector<std::pair<std::string, std::uint64_t>> options;  ///< names in lower case
};

/// Nothing where it is none of them. Refers to the bytes.
[[nodiscard]] std::optional<TftpAnswer> parse_tftp_answer(std::span<const std::byte> bytes);

using TftpOptions = std::vector<std::pair<std::string_view, std::uint64_t>>;
[[nodiscard]] std::vector<std::byte> tftp_request(bool is_write, std::string_view name, const TftpOptions& options);
[[nodiscard]] std::vector<std::byte> tftp_acknowledgement(std::uint16_t block);
[[nodiscard]] std::vector<std::byte> tftp_data(std::uint16_t block, std::span<const std::byte> bytes);
[[nodiscard]] std::vector<std::byte> tftp_error(std::uint16_t code, std::string_view text);

}  // namespace superd
