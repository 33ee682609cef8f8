#pragma once

#include <cstdint>
#include <string_view>

#include "superd/base/error.h"

namespace superd {

/// The number of a protocol of IP: "icmp", "igmp", "icmp6", a name of /etc/protocols (getprotobyname(3)), or 1 to 254.
/// 0 and 255 are refused: Linux has no socket for every protocol, and one that receives 255. Any thread.
[[nodiscard]] Result<std::uint8_t> protocol_number(std::string_view name);

}  // namespace superd
