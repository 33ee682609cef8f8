#pragma once

#include <string>

#include "superd/config/service_table.h"

namespace superd {

/// For a newcomer's first run: what listens where, and a line to try each.
[[nodiscard]] std::string welcome(const ServiceTable&);

}  // namespace superd
