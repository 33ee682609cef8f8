#include "superd/net/protocol_number.h"

#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "superd/base/words.h"

namespace superd {
namespace {

constexpr int most = 254;

struct Row {
  std::string_view name;
  int number;
};
// Those of our own services, lest they depend on a file that small machines do not have; "icmp6" is in none.
constexpr Row known[] = {
    {"icmp",  IPPROTO_ICMP  },
    {"icmp6", IPPROTO_ICMPV6},
    {"igmp",  IPPROTO_IGMP  },
};

std::optional<int> look_up(const std::string& name) {
  const auto* row = std::ranges::find(known, name, &Row::name);
  if (row != std::end(known)) return row->number;
  protoent entry{};
  protoent* found = nullptr;
  std::array<char, 4096> room;
  if (::getprotobyname_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) return std::nullopt;
  return found->p_proto;
}

Result<std::uint8_t> within(int number) {
  if (number == 0) return error("protocol 0 stands for all of them elsewhere, and Linux has no such socket: name one");
  if (number == IPPROTO_RAW) return error("a socket of protocol 255 only sends, and nothing is received: name another");
  if (number < 0 || number > most) return error(std::to_string(number) + " is no protocol, 1 to 254");
  return static_cast<std::uint8_t>(number);
}

}  // namespace

Result<std::uint8_t> protocol_number(std::string_view name) {
  if (name.empty()) return error("the protocol is missing");
  if (name.find_first_not_of("0123456789") == name.npos) {
    int number = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool is_number = failure == std::errc{} && (name.size() == 1 || name.front() != '0');
    if (!is_number) return error('"' + escaped(name, 40) + "\" is no protocol, 1 to 254");
    return within(number);
  }
  const bool is_name = name.find_first_of(std::string_view(" \t\n\r\0/[]%*", 10)) == name.npos;
  const auto number = is_name ? look_up(std::string(name)) : std::nullopt;
  if (!number)
    return error('"' + escaped(name, 40) + "\" is no protocol: write its number, or a name of /etc/protocols");
  return within(*number);
}

}  // namespace superd
