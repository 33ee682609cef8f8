// Values that only raw listeners, and the services at them, have.

#include <fmt/format.h>

#include "superd/base/words.h"
#include "superd/config/values.h"
#include "superd/net/classic_bpf.h"
#include "superd/net/icmp_types.h"

namespace superd {

namespace {

constexpr std::size_t most_types = 64, most_networks = 100;

Result<std::string> parse_icmp_type(const std::string& text) {
  if (icmp_type_of(text, IcmpVersion::v4) || icmp_type_of(text, IcmpVersion::v6)) return text;
  std::vector<std::string_view> names;
  for (const auto& row : icmp_type_names()) names.push_back(row.name);
  const auto nearest = nearest_word(text, names);
  const auto meant = nearest.empty() ? std::string("write its number") : fmt::format("did you mean \"{}\"?", nearest);
  return error(fmt::format("\"{}\" is no type of ICMP: {}", escaped(text, 40), meant));
}

}  // namespace

std::optional<std::vector<std::string>> icmp_types(const Reading& reading) {
  return each<std::string>(reading, most_types, parse_icmp_type);
}

std::optional<std::vector<sock_filter>> packet_filter(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  if (given->empty()) return std::vector<sock_filter>();
  auto program = parse_bpf(*given);
  if (!program) return reading.complain(program.error().what);
  return std::move(*program);
}

std::optional<std::optional<Endpoint>> address(const Reading& reading) {
  const auto given = text(reading);
  if (!given) return std::nullopt;
  if (given->empty()) return std::optional<Endpoint>();
  const auto parsed = Endpoint::parse(*given, 0);
  if (!parsed) return reading.complain(parsed.error().what);
  if (parsed->is_wildcard() || parsed->is_multicast() || parsed->is_limited_broadcast())
    return reading.complain(fmt::format("\"{}\" is not one host's address", escaped(*given, 80)));
  return std::optional(*parsed);
}

std::optional<std::vector<Network>> answered_networks(const Reading& reading) {
  return each<Network>(reading, most_networks, Network::parse);
}

}  // namespace superd
