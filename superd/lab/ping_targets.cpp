#include "superd/lab/ping_targets.h"

#include <algorithm>
#include <cerrno>

#include "superd/base/words.h"
#include "superd/lab/remote.h"

namespace superd {
namespace {

bool is_of(const Endpoint& endpoint, Family family) noexcept {
  return family == Family::any || endpoint.is_v4() == (family == Family::v4);
}

std::string_view family_text(Family family) noexcept { return family == Family::v4 ? "IPv4" : "IPv6"; }

/// What no other time will mend.
Error misuse(std::string what) { return {std::move(what), EINVAL}; }

Result<Endpoint> address_of(const std::string& word, Family family) {
  auto literal = Endpoint::parse(word, 0);
  if (literal) {
    if (is_of(*literal, family)) return literal;
    return std::unexpected(
        misuse(word + " is no " + std::string(family_text(family)) + " address, which is what was asked for"));
  }
  const auto found = look_up(word, 0);
  if (!found) return std::unexpected(found.error());
  for (const auto& endpoint : *found)
    if (is_of(endpoint, family)) return endpoint;
  return error("look up " + word + ": it has no " + std::string(family_text(family)) + " address");
}

}  // namespace

Result<PingTargets> PingTargets::of(std::span<const std::string> words, Family family) {
  PingTargets targets;
  for (const auto& word : words)
    if (auto added = targets.add(word, family); !added) return std::unexpected(added.error());
  return targets;
}

Result<> PingTargets::add(const std::string& word, Family family) {
  if (word.contains('/')) return add_network(word);
  const auto found = address_of(word, family);
  if (!found) return std::unexpected(found.error());
  const auto address = found->unmapped();
  const auto bits = AddressBits::of(address);
  const bool is_named = !Endpoint::parse(word, 0);
  return add_range({.first = bits, .count = 1, .start = 0, .scope = address.scope(), .name = is_named ? word : ""},
                   word);
}

Result<> PingTargets::add_network(const std::string& word) {
  const auto network = Network::parse(word);
  if (!network) return std::unexpected(misuse(network.error().what));
  const int free_bits = 128 - network->bits();
  if (free_bits > 24)
    return std::unexpected(
        misuse(escaped(word) + " has more than " + std::to_string(most) + " addresses: name smaller networks"));
  Range range{
      .first = {network->high(), network->low()},
        .count = std::uint32_t{1}
        << free_bits, .start = 0
  };
  if (network->is_v4() && free_bits > 1) {
    range.first = range.first + 1;
    range.count -= 2;
  }
  has_network_ = true;
  return add_range(std::move(range), word);
}

Result<> PingTargets::add_range(Range range, const std::string& word) {
  if (range.count > most - size_)
    return std::unexpected(
        misuse("up to " + escaped(word) + " these are more than " + std::to_string(most) + " addresses: name fewer"));
  (range.first.is_v4() ? has_v4_ : has_v6_) = true;
  range.start = size_;
  size_ += range.count;
  ranges_.push_back(std::move(range));
  return {};
}

const PingTargets::Range& PingTargets::range_of(std::uint32_t index) const noexcept {
  return *std::prev(std::ranges::upper_bound(ranges_, index, {}, &Range::start));
}

ProbeAddress PingTargets::socket_address(std::uint32_t index) const noexcept {
  const auto& range = range_of(index);
  return probe_address(range.address(index), range.scope);
}

std::optional<std::uint32_t> PingTargets::index_of(const AddressBits& address) const noexcept {
  for (const auto& range : ranges_)
    if (const auto steps = distance(range.first, address); steps < range.count)
      return range.start + static_cast<std::uint32_t>(steps);
  return std::nullopt;
}

std::string PingTargets::name_of(std::uint32_t index) const {
  const auto& range = range_of(index);
  const auto address = text_of(range.address(index));
  return range.name.empty() ? address : escaped(range.name) + " (" + address + ")";
}

}  // namespace superd
