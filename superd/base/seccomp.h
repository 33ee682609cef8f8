#pragma once

#include <linux/filter.h>

#include <span>
#include <string_view>
#include <vector>

#include "superd/base/confinement.h"
#include "superd/base/error.h"

namespace superd {

/// The system calls that a filter lets fail; empty where they depend on their arguments (no_network) or on who calls
/// (no_new_programs).
[[nodiscard]] std::span<const std::string_view> calls_forbidden_by(Confinement::Filter) noexcept;

/// The filters as one program for seccomp(2); all other calls pass. `words` is the address of the arguments that
/// execve(2) will be called with: with no_new_programs that call alone passes, as a filter cannot count. The program
/// that is executed has other memory, and does not know the address.
///
/// Calls of another architecture's ABI (32 bits, x32) fail.
[[nodiscard]] Result<std::vector<sock_filter>> make_filter(std::span<const Confinement::Filter>,
                                                           const char* const* words);

}  // namespace superd
