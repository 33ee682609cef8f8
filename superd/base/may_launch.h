#pragma once

#include "superd/base/error.h"
#include "superd/base/launch.h"

namespace superd {

/// Whether the calling process has the rights, and the kernel the means, to start this program so; else an error that
/// begins with the key of the configuration that wants them. What is tried with success makes no difference later.
[[nodiscard]] Result<> may_launch(const Launch&);

/// Whether it would run as whom the caller is, so that nothing has to be changed.
[[nodiscard]] bool is_own_identity(const Launch::Identity&) noexcept;

}  // namespace superd
