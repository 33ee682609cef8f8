#pragma once

#include <sys/types.h>

#include <chrono>

namespace superd {

/// What a thread of this process, by its gettid(2), has used of a processor so far; 0 when it has ended. A system call.
[[nodiscard]] std::chrono::nanoseconds processor_time_of(pid_t thread) noexcept;

/// It runs, or waits for nothing but a processor (state R of proc(5)). Some microseconds.
[[nodiscard]] bool is_runnable(pid_t thread) noexcept;

}  // namespace superd
