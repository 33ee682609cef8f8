#include "superd/net/igmp.h"

#include "superd/net/internet_checksum.h"

namespace superd {
namespace {

constexpr std::size_t header = 8, query_v3_header = 12, address = 4;

unsigned number_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return std::to_integer<unsigned>(bytes[at]);
}

/// Up to 127 itself, above a floating-point number (RFC 3376, 4.1.1).
unsigned decoded(unsigned code) noexcept {
  if (code < 128) return code;
  return ((code & 0xfU) | 0x10U) << ((code >> 4 & 7U) + 3);
}

/// With its sources and the auxiliary words behind them.
std::size_t record_length(std::span<const std::byte> record) noexcept {
  return header + std::size_t{load16(&record[2])} * address + number_at(record, 1) * std::size_t{4};
}

bool holds_records(std::span<const std::byte> rest, std::size_t count) noexcept {
  for (; count > 0; --count) {
    if (rest.size() < header || record_length(rest) > rest.size()) return false;
    const auto change = number_at(rest, 0);
    if (change < 1 || change > 6) return false;
    rest = rest.subspan(record_length(rest));
  }
  return true;
}

}  // namespace

std::expected<IgmpView, PacketFault> IgmpView::parse(std::span<const std::byte> message) noexcept {
  if (message.size() < header) return std::unexpected(PacketFault::short_packet);
  if (internet_checksum(message) != 0) return std::unexpected(PacketFault::checksum);
  const IgmpView view(message);
  switch (view.kind()) {
    case Kind::query: {
      if (message.size() == header) return view;
      // Between the two it is of no version (RFC 3376, 7.1).
      if (message.size() < query_v3_header) return std::unexpected(PacketFault::header_length);
      const std::size_t sources = load16(&message[10]);
      if (sources * address > message.size() - query_v3_header) return std::unexpected(PacketFault::list);
      return view;
    }
    case Kind::report_v1:
    case Kind::report_v2:
    case Kind::leave: return view;
    case Kind::report_v3:
      if (!holds_records(message.subspan(header), load16(&message[6]))) return std::unexpected(PacketFault::list);
      return view;
  }
  return std::unexpected(PacketFault::unknown_type);
}

int IgmpView::version() const noexcept {
  switch (kind()) {
    case Kind::query: return is_query_v3() ? 3 : number_at(bytes_, 1) == 0 ? 1 : 2;
    case Kind::report_v1: return 1;
    case Kind::report_v3: return 3;
    default: return 2;
  }
}

std::chrono::milliseconds IgmpView::longest_wait() const noexcept {
  constexpr unsigned of_version_1 = 100;  // RFC 2236, 4
  const auto code = number_at(bytes_, 1);
  const auto tenths = is_query_v3() ? decoded(code) : code == 0 ? of_version_1 : code;
  return std::chrono::milliseconds(100 * tenths);
}

PacketAddresses IgmpView::sources() const noexcept {
  if (!is_query_v3()) return {};
  return PacketAddresses(bytes_.subspan(query_v3_header, std::size_t{load16(&bytes_[10])} * address));
}

std::uint8_t IgmpView::robustness() const noexcept {
  return is_query_v3() ? static_cast<std::uint8_t>(number_at(bytes_, 8) & 7U) : std::uint8_t{0};
}

std::chrono::seconds IgmpView::interval() const noexcept {
  return std::chrono::seconds(is_query_v3() ? decoded(number_at(bytes_, 9)) : 0);
}

bool IgmpView::suppresses() const noexcept { return is_query_v3() && (number_at(bytes_, 8) & 8U) != 0; }

IgmpView::Records IgmpView::records() const noexcept {
  if (is_query()) return {{}, 0};
  if (kind() == Kind::report_v3) return {bytes_.subspan(header), load16(&bytes_[6])};
  return {bytes_, 1};
}

IgmpRecord IgmpView::Records::iterator::operator*() const noexcept {
  using Change = IgmpRecord::Change;
  const auto group = packet_address_v4(&rest_[4]);
  switch (Kind{std::to_integer<std::uint8_t>(rest_[0])}) {
    case Kind::report_v1:
    case Kind::report_v2: return {Change::is_exclude, group, {}};
    case Kind::leave: return {Change::to_include, group, {}};
    default: break;  // the types of records are other numbers, 1 to 6
  }
  const auto sources = rest_.subspan(header, std::size_t{load16(&rest_[2])} * address);
  return {Change{std::to_integer<std::uint8_t>(rest_[0])}, group, PacketAddresses(sources)};
}

IgmpView::Records::iterator& IgmpView::Records::iterator::operator++() noexcept {
  if (--left_ > 0) rest_ = rest_.subspan(record_length(rest_));
  return *this;
}

}  // namespace superd
