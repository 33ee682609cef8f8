#pragma once

#include <string_view>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"

namespace superd {

/// The line of the log about a conversation that is over: who, where, how it ended, what it cost. Within the service's
/// log_rate; allocates, and may throw std::bad_alloc.
void log_conversation(const Connection& client, const Seat& seat, Time now);
void log_conversation(const Datagram& request, Time begun, Time now);

/// The same for one whose handler threw: always an error. Never throws.
void log_failure(const Connection& client, const Seat& seat, Time now, std::string_view why) noexcept;
void log_failure(const Datagram& request, Time begun, Time now, std::string_view why) noexcept;

/// Whether it is the fault of somebody that a conversation ended so. That a client went away is none: it may.
[[nodiscard]] bool is_failure(End) noexcept;

}  // namespace superd
