#include "superd/lab/tftp_packets.h"

#include <algorithm>
#include <charconv>

#include "superd/base/big_endian.h"

namespace superd {

namespace {

constexpr std::uint16_t read_request = 1, write_request = 2, data = 3, acknowledgement = 4, failure = 5, options = 6;

class Builder {
 public:
  explicit Builder(std::uint16_t number) { add(number); }
  Builder& add(std::uint16_t number) {
    bytes_.resize(bytes_.size() + 2);
    store16(number, &bytes_[bytes_.size() - 2]);
    return *this;
  }
  Builder& add(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  /// With the NUL at its end.
  Builder& add(std::string_view text) {
    add(std::as_bytes(std::span(text)));
    bytes_.push_back(std::byte{0});
    return *this;
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// Up to the next NUL, which a last one may lack.
std::string_view take_text(std::string_view& from) {
  const auto end = from.find('\0');
  const auto text = from.substr(0, end);
  from.remove_prefix(std::min(from.size(), text.size() + 1));
  return text;
}

bool read_options(std::string_view rest, TftpAnswer& answer) {
  while (!rest.empty()) {
    std::string name(take_text(rest));
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const auto digits = take_text(rest);
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (name.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return false;
    answer.options.emplace_back(std::move(name), value);
  }
  return true;
}

}  // namespace

std::optional<TftpAnswer> parse_tftp_answer(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return {};
  TftpAnswer answer;
  const auto kind = load16(bytes.data());
  const auto rest = bytes.subspan(2);
  if (kind == options) {
    answer.kind = TftpAnswer::Kind::options;
    if (!read_options({reinterpret_cast<const char*>(rest.data()), rest.size()}, answer)) return {};
    return answer;
  }
  if (kind < data || kind > failure || rest.size() < 2) return {};
  answer.kind = static_cast<TftpAnswer::Kind>(kind);
  answer.number = load16(rest.data());
  if (kind == data) answer.data = rest.subspan(2);
  if (kind == failure) {
    std::string_view text(reinterpret_cast<const char*>(rest.data()) + 2, rest.size() - 2);
    answer.text = take_text(text);
  }
  return answer;
}

std::vector<std::byte> tftp_request(bool is_write, std::string_view name, const TftpOptions& wanted) {
  Builder request(is_write ? write_request : read_request);
  request.add(name).add(std::string_view("octet"));
  for (const auto& [option, value] : wanted) request.add(option).add(std::to_string(value));
  return request.take();
}

std::vector<std::byte> tftp_acknowledgement(std::uint16_t block) { return Builder(acknowledgement).add(block).take(); }

std::vector<std::byte> tftp_data(std::uint16_t block, std::span<const std::byte> bytes) {
  return Builder(data).add(block).add(bytes).take();
}

std::vector<std::byte> tftp_error(std::uint16_t code, std::string_view text) {
  return Builder(failure).add(code).add(text).take();
}

}  // namespace superd
