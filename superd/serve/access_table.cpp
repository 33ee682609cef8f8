#include "superd/serve/access_table.h"

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>

namespace superd {

namespace {

AddressBits first_of(const Network& network) noexcept { return {network.high(), network.low()}; }

AddressBits last_of(const Network& network) noexcept {
  const auto rest = [](int bits) { return bits <= 0 ? ~0ULL : bits >= 64 ? 0ULL : ~0ULL >> bits; };
  return {network.high() | rest(network.bits()), network.low() | rest(network.bits() - 64)};
}

/// The address behind; nothing behind the last one there is.
std::optional<AddressBits> after(const AddressBits& bits) noexcept {
  if (bits.low != ~0ULL) return AddressBits{bits.high, bits.low + 1};
  if (bits.high != ~0ULL) return AddressBits{bits.high + 1, 0};
  return std::nullopt;
}

/// Tells each range of equal opinion, in order, to `add`. `networks` are sorted as below.
template <class Add>
void flatten(std::span<const JudgedNetwork> networks, Add add) {
  // Those that hold the address at which we are, the longest last.
  std::vector<const JudgedNetwork*> open;
  const auto close_last = [&] {
    const auto behind = after(last_of(open.back()->network));
    open.pop_back();
    if (behind) add(*behind, open.empty() ? Opinion::none : open.back()->opinion);
  };
  for (const auto& each : networks) {
    while (!open.empty() && last_of(open.back()->network) < first_of(each.network)) close_last();
    add(first_of(each.network), each.opinion);
    open.push_back(&each);
  }
  while (!open.empty()) close_last();
}

}  // namespace

template <class Address>
void AccessTable::Ranges<Address>::add(const Address& start, Opinion opinion) {
  if (!starts.empty() && starts.back() == start) {
    opinions.back() = opinion;
    return;
  }
  if (!starts.empty() && opinions.back() == opinion) return;
  starts.push_back(start);
  opinions.push_back(opinion);
}

template <class Address>
Opinion AccessTable::Ranges<Address>::of(const Address& address) const noexcept {
  const auto behind = std::ranges::upper_bound(starts, address);
  if (behind == starts.begin()) return Opinion::none;
  return opinions[static_cast<std::size_t>(behind - starts.begin()) - 1];
}

AccessTable::AccessTable(std::vector<JudgedNetwork> networks) {
  // Those that hold others before them; of equal ones the one that denies last, which counts.
  std::ranges::sort(networks, {}, [](const JudgedNetwork& each) {
    return std::tuple(!each.network.is_v4(), first_of(each.network), each.network.bits(), each.opinion);
  });
  const auto v6 = std::ranges::find_if(networks, [](const JudgedNetwork& each) { return !each.network.is_v4(); });
  flatten(std::span(networks.begin(), v6), [this](const AddressBits& start, Opinion opinion) {
    // The address behind 255.255.255.255 is no IPv4 address any more.
    if (start.is_v4()) v4_.add(static_cast<std::uint32_t>(start.low), opinion);
  });
  flatten(std::span(v6, networks.end()),
          [this](const AddressBits& start, Opinion opinion) { v6_.add(start, opinion); });
}

Opinion AccessTable::of(const AddressBits& address) const noexcept {
  return address.is_v4() ? v4_.of(static_cast<std::uint32_t>(address.low)) : v6_.of(address);
}

}  // namespace superd
