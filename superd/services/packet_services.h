#pragma once

#include <optional>

#include "superd/net/icmp.h"
#include "superd/serve/datagram.h"

/// What services at raw listeners have in common.
namespace superd {

/// The message of ICMP in a packet, of which the kernel has verified ICMPv6 alone. What is none is counted.
[[nodiscard]] std::optional<IcmpView> read_icmp(const Packet& packet, Counters& counters) noexcept;

/// Counts what no service can read.
void count_fault(PacketFault fault, Counters& counters) noexcept;

/// Whether a line of the log about a packet is within the service's log_rate.
[[nodiscard]] bool may_log_packet(Datagram& request) noexcept;

}  // namespace superd
