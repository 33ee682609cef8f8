#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>

namespace superd {

/// A child that was just made.
struct Spawned {
  pid_t process = -1;
  int pidfd = -1;  ///< the caller's to close; -1: the kernel gives none
};

/// How much of clone3(2) there is: an older kernel, or a sandbox, may lack it. What was found out is remembered for the
/// process, by all its threads.
enum class SpawnLevel : int {
  clone3,  ///< all handlers of signals are reset by a flag; may be born in a control group
  pidfd,   ///< clone(2), which gives a pidfd
  plain,   ///< clone(2) as it always was
};
[[nodiscard]] SpawnLevel spawn_level() noexcept;
/// For tests: as if the kernel had no more.
void lower_spawn_level(SpawnLevel) noexcept;

/// Makes a child that shares the caller's memory and runs `run` on `stack`, until it executes a program or `run`
/// returns, which is its exit code. The calling thread waits so long, and nothing is copied, however big the process is.
/// The caller blocks all signals around it. `group`: the directory of a control group (v2) that it is born in, where the
/// level is clone3; -1: the caller's.
///
/// A process of -1: errno tells why.
[[nodiscard]] Spawned spawn(int (*run)(void*), void* argument, std::span<std::byte> stack, int group = -1) noexcept;

}  // namespace superd
