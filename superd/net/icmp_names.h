#pragma once

#include <string>

#include "superd/net/icmp.h"

namespace superd {

/// What a type and code say, as in "host unreachable", "time exceeded in transit", "echo request"; an unknown one as
/// "type 42 code 7".
[[nodiscard]] std::string icmp_name(IcmpVersion version, std::uint8_t type, std::uint8_t code);

}  // namespace superd
