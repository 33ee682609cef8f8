#pragma once

#include <cstdint>

#include "superd/base/error.h"
#include "superd/net/icmp.h"

namespace superd {

/// Lets a raw ICMP socket receive replies with this id, and errors about echoes, alone: by the types (ICMP_FILTER,
/// raw(7); ICMP6_FILTER, RFC 3542) and by a program of the kernel's (SO_ATTACH_FILTER, socket(7)). What came in before is
/// thrown away.
[[nodiscard]] Result<> filter_echoes(int socket, IcmpVersion version, std::uint16_t id);

}  // namespace superd
