#pragma once

#include <span>
#include <string>
#include <vector>

#include "superd/super/bind.h"

namespace superd {

/// The sockets that `wanted` needs beside those that are `held` for `now`, bound; or all that is wrong, and then nothing
/// has changed. Whoever holds the privileges calls it before anything else is done about a new table; what it returns is
/// for Host::change().
///
/// A held socket stays with its service wherever the place is the same, however it is written. Where the place goes over
/// to another service, what is returned is a duplicate, so that whoever waits there is served by that one. An address
/// that contains a held one which goes, or lies within it, is bound beside that: both are there until the old one closes.
[[nodiscard]] std::expected<BoundListeners, std::vector<std::string>> rebind(const ServiceTable& now,
                                                                             const ServiceTable& wanted,
                                                                             std::span<const HeldSocket> held);

/// Afterwards: gives the held sockets that stay the options that `wanted` has for them (backlog, buffers, keepalive, the
/// file of a unix socket). A line for each that cannot be changed, which stays as it is.
[[nodiscard]] std::vector<std::string> change_options_of_held(const ServiceTable& now, const ServiceTable& wanted,
                                                              std::span<const HeldSocket> held);

}  // namespace superd
