#include "superd/services/services.h"

#include <netinet/in.h>

#include <algorithm>

namespace superd {

namespace {
/// For handlers that have nothing to be told.
template <std::shared_ptr<Service> (*make)()>
Result<std::shared_ptr<Service>> plain(const HandlerSettings&) {
  return make();
}

Result<std::shared_ptr<Service>> icmp_echo(const HandlerSettings& told) { return make_icmp_echo(told.addresses); }

Result<std::shared_ptr<Service>> beacon(const HandlerSettings& told) { return make_beacon(told.beacon); }

constexpr std::uint8_t icmp[] = {IPPROTO_ICMP, IPPROTO_ICMPV6}, igmp[] = {IPPROTO_IGMP};
// For experiments (RFC 3692, 2.1): nobody else's.
constexpr std::uint8_t experiments[] = {253, 254};

constexpr ServiceEntry table[] = {
    {"beacon",    "tells the network what is served here",        false, true,  false, {},          {},             beacon              },
    {"chargen",   "an endless pattern, or one datagram of it",    true,  true,  false, {},          {},             plain<make_chargen> },
    {"daytime",   "the time as a line of text",                   true,  true,  false, {},          {},             plain<make_daytime> },
    {"discard",   "takes everything, answers nothing",            true,  true,  false, {},          {},             plain<make_discard> },
    {"echo",      "sends back what it is sent",                   true,  true,  false, {},          {},             plain<make_echo>    },
    {"fsp",       "files, without connections (FSP version 2)",   false, true,  true,  {},          {},             make_fsp            },
    {"icmp-echo", "answers pings, for addresses that it is told", false, false, false, icmp,        "echo-request", icmp_echo           },
    {"icmp-log",  "who pings, traces, or reports a fault",        false, false, false, icmp,        {},             plain<make_icmp_log>},
    {"igmp-log",  "who joins and leaves which group",             false, false, false, igmp,        {},             plain<make_igmp_log>},
    {"ip-echo",   "an echo straight over IP",                     false, false, false, experiments, {},             plain<make_ip_echo> },
    {"qotd",      "a quote of the day",                           true,  true,  false, {},          {},             plain<make_qotd>    },
    {"slow",      "computes, sleeps or blocks as it is told",     true,  true,  false, {},          {},             plain<make_slow>    },
    {"tftp",      "files, as boards and PXE ask for them",        false, true,  true,  {},          {},             make_tftp           },
    {"time",      "the time as a 32-bit number",                  true,  true,  false, {},          {},             plain<make_time>    },
};
}  // namespace

std::string_view some_listener(const ServiceEntry& entry) noexcept {
  if (entry.packets.empty()) return entry.streams ? "tcp/127.0.0.1:1" : "udp/127.0.0.1:1";
  switch (entry.packets.front()) {
    case IPPROTO_ICMP: return "raw/icmp";
    case IPPROTO_IGMP: return "raw/igmp";
    default: return "raw/253";
  }
}

std::string_view some_transports(const ServiceEntry& entry) noexcept {
  if (entry.packets.empty()) return entry.streams ? "tcp or unix" : "udp";
  switch (entry.packets.front()) {
    case IPPROTO_ICMP: return "raw/icmp or raw6/icmp6";
    case IPPROTO_IGMP: return "raw/igmp";
    default: return "raw/253, raw/254, raw6/253 or raw6/254";
  }
}

std::span<const ServiceEntry> services() noexcept { return table; }

const ServiceEntry* find_service(std::string_view name) noexcept {
  const auto* found = std::ranges::find(table, name, &ServiceEntry::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace superd
