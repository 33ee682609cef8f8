#pragma once

#include "superd/base/clock.h"

namespace superd {

/// The machine's load of the last minute, as getloadavg(3) has it: what runs or waits for a processor or a disk. Looked
/// at once a second, for the whole process; needs no descriptor. Any thread.
[[nodiscard]] double load_average(Time now) noexcept;

}  // namespace superd
