#pragma once

#include <optional>

#include "superd/base/error.h"
#include "superd/config/service_table.h"
#include "superd/serve/hosted_service.h"

namespace superd {

/// Puts the handler in force that the settings want, of the table of services; one that was in force before, told the
/// same, is that one again. An error, and nothing changed, where it cannot be made: a directory that is not there. One
/// thread at a time.
Result<> put_handler_in_force(HostedService&, const ServiceSettings&);

/// What is in force there: of the settings, `handler` and `settings`. Nothing where it is a handler of the caller's own.
[[nodiscard]] std::optional<ServiceSettings> handler_in_force(const HostedService&);

}  // namespace superd
