#include "superd/services/tftp/packet.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

namespace superd::tftp {

namespace {

std::uint16_t number_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8 |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

void put(std::vector<std::byte>& packet, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  packet.insert(packet.end(), bytes.begin(), bytes.end());
  packet.push_back(std::byte{0});
}

// For ASCII alone: no locale changes what a packet means.
bool same_word(std::string_view a, std::string_view lower) noexcept {
  return std::ranges::equal(a, lower, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

/// Texts that end with a NUL each, one after the other.
class Texts {
 public:
  explicit Texts(std::span<const std::byte> bytes) noexcept
      : rest_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

  std::optional<std::string_view> next() noexcept {
    const auto end = rest_.find('\0');
    if (end == rest_.npos) return std::nullopt;
    const auto text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }
  [[nodiscard]] bool is_empty() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::uint64_t> parse_number(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (stop != end || text.empty()) return std::nullopt;
  return failure == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : number;
}

struct OptionEntry {
  std::string_view name;
  std::optional<std::uint64_t> Options::* value;
  std::uint64_t least;
  std::uint64_t most;      ///< above it makes no sense
  bool may_lower = false;  ///< the server answers with less instead
};
constexpr auto any_number = std::numeric_limits<std::uint64_t>::max();
constexpr OptionEntry option_table[] = {
    {"blksize",    &Options::block_size,  least_block, largest_block, true },
    {"timeout",    &Options::timeout,     1,           255,           false},
    {"tsize",      &Options::size,        0,           any_number,    false},
    {"windowsize", &Options::window_size, 1,           65'535,        true },
};

void note_option(Options& options, std::string_view name, std::string_view text) noexcept {
  const auto* const known =
      std::ranges::find_if(option_table, [&](const OptionEntry& entry) { return same_word(name, entry.name); });
  if (known == std::end(option_table) || options.*known->value) return;
  auto value = parse_number(text);
  if (!value || *value < known->least) return;
  if (*value > known->most && !known->may_lower) return;
  options.*known->value = std::min(*value, known->most);
}

}  // namespace

std::expected<Request, Refusal> parse_request(std::span<const std::byte> packet) {
  constexpr Refusal malformed{Code::illegal, "malformed request"};
  if (packet.size() < 2) return std::unexpected(malformed);
  const auto opcode = static_cast<Opcode>(number_at(packet, 0));
  if (opcode != Opcode::read && opcode != Opcode::write)
    return std::unexpected(Refusal{Code::illegal, "a transfer begins with a request"});
  if (packet.size() > longest_request)
    return std::unexpected(Refusal{Code::illegal, "a request has at most 512 bytes"});

  Texts texts(packet.subspan(2));
  const auto name = texts.next();
  const auto mode = texts.next();
  if (!name || !mode || name->empty()) return std::unexpected(malformed);
  Request request{
      .writes = opcode == Opcode::write, .is_text = same_word(*mode, "netascii"), .name = *name, .options = {}};
  if (!request.is_text && !same_word(*mode, "octet"))
    return std::unexpected(Refusal{Code::illegal, "the mode is octet or netascii"});
  while (!texts.is_empty()) {
    const auto option = texts.next();
    const auto value = texts.next();
    if (!option || !value) return std::unexpected(malformed);
    note_option(request.options, *option, *value);
  }
  return request;
}

std::optional<Packet> parse_packet(std::span<const std::byte> packet) noexcept {
  if (packet.size() < head_size) return std::nullopt;
  const auto opcode = static_cast<Opcode>(number_at(packet, 0));
  if (opcode != Opcode::data && opcode != Opcode::ack && opcode != Opcode::error) return std::nullopt;
  return Packet{opcode, number_at(packet, 2), packet.subspan(head_size)};
}

Head head_of(Opcode opcode, std::uint16_t number) noexcept {
  const auto code = static_cast<std::uint16_t>(opcode);
  return {std::byte(code >> 8), std::byte(code & 0xff), std::byte(number >> 8), std::byte(number & 0xff)};
}

std::vector<std::byte> error_packet(Code code, std::string_view text) {
  const auto head = head_of(Opcode::error, static_cast<std::uint16_t>(code));
  std::vector<std::byte> packet(head.begin(), head.end());
  put(packet, text);
  return packet;
}

std::vector<std::byte> oack_packet(const Options& granted) {
  std::vector<std::byte> packet{std::byte{0}, std::byte{static_cast<unsigned char>(Opcode::oack)}};
  for (const auto& entry : option_table) {
    const auto& value = granted.*entry.value;
    if (!value) continue;
    put(packet, entry.name);
    put(packet, std::to_string(*value));
  }
  return packet;
}

}  // namespace superd::tftp
