#include "superd/net/icmp_types.h"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace superd {
namespace {

constexpr std::nullopt_t none = std::nullopt;

// RFC 792, RFC 950, RFC 4443, RFC 4861, RFC 2710 and RFC 3810.
constexpr IcmpTypeName table[] = {
    {"echo-reply",             icmp_v4::echo_reply,        icmp_v6::echo_reply       },
    {"echo-request",           icmp_v4::echo_request,      icmp_v6::echo_request     },
    {"listener-query",         none,                       130                       },
    {"listener-report",        none,                       131                       },
    {"listener-done",          none,                       132                       },
    {"listener-report-v2",     none,                       143                       },
    {"mask-reply",             18,                         none                      },
    {"mask-request",           17,                         none                      },
    {"neighbor-advertisement", none,                       136                       },
    {"neighbor-solicitation",  none,                       135                       },
    {"packet-too-big",         none,                       icmp_v6::packet_too_big   },
    {"parameter-problem",      icmp_v4::parameter_problem, icmp_v6::parameter_problem},
    {"redirect",               icmp_v4::redirect,          137                       },
    {"router-advertisement",   9,                          134                       },
    {"router-solicitation",    10,                         133                       },
    {"source-quench",          icmp_v4::source_quench,     none                      },
    {"time-exceeded",          icmp_v4::time_exceeded,     icmp_v6::time_exceeded    },
    {"timestamp-reply",        14,                         none                      },
    {"timestamp-request",      13,                         none                      },
    {"unreachable",            icmp_v4::unreachable,       icmp_v6::unreachable      },
};

// Both masks have a bit for each type that is blocked: 32 of ICMP, of which the higher types always pass (raw(7)), and
// 256 of ICMPv6 (RFC 3542, 3.2).
template <std::size_t count>
std::array<std::uint32_t, count> blocked_but(std::span<const std::uint8_t> types) noexcept {
  std::array<std::uint32_t, count> words{};
  if (types.empty()) return words;
  words.fill(~std::uint32_t{0});
  for (const auto type : types)
    if (type / 32U < count) words[type / 32U] &= ~(std::uint32_t{1} << type % 32);
  return words;
}

}  // namespace

std::span<const IcmpTypeName> icmp_type_names() noexcept { return table; }

std::optional<std::uint8_t> icmp_type_of(std::string_view text, IcmpVersion version) noexcept {
  const auto* row = std::ranges::find(table, text, &IcmpTypeName::name);
  if (row != std::end(table)) return version == IcmpVersion::v4 ? row->v4 : row->v6;
  std::uint8_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = failure == std::errc{} && end == text.data() + text.size();
  if (!is_whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  // ICMP's mask ends there.
  if (version == IcmpVersion::v4 && number > 31) return std::nullopt;
  return number;
}

Result<> pass_icmp_types(int socket, IcmpVersion version, std::span<const std::uint8_t> types,
                         const std::string& where) {
  const bool is_v4 = version == IcmpVersion::v4;
  const icmp_filter v4{.data = blocked_but<1>(types)[0]};
  const auto v6 = blocked_but<8>(types);
  static_assert(sizeof v6 == sizeof(icmp6_filter));
  const bool is_set = is_v4 ? ::setsockopt(socket, SOL_RAW, ICMP_FILTER, &v4, sizeof v4) == 0
                            : ::setsockopt(socket, SOL_ICMPV6, ICMPV6_FILTER, v6.data(), sizeof v6) == 0;
  if (is_set) return {};
  return system_error("set the types of ICMP for " + where);
}

}  // namespace superd
