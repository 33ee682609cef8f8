#pragma once

#include <string>

#include "superd/net/endpoint.h"

namespace superd {

/// What is known of a client by its key alone: "192.0.2.1", "2001:db8:1:2::/64", "fe80::1", or "uid 1000" of who came
/// through a unix socket. Empty for nobody.
[[nodiscard]] std::string text_of(const ClientKey&);

}  // namespace superd
