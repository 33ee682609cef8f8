#include "superd/base/spawn.h"

#include <linux/sched.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

namespace superd {

namespace {

std::atomic<SpawnLevel> level{SpawnLevel::clone3};

// The C library has no clone3(): the child must not return on its parent's stack, so it begins on another one, in
// assembler. It ends by exit(2) of its only thread.
long clone3_and_run(clone_args& wanted, int (*run)(void*), void* argument) noexcept {
#if defined(__x86_64__)
  long result;
  register auto* const what asm("r12") = run;
  register void* const with asm("r13") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "mov %%eax, %%edi\n\t"
      "mov %[exit], %%eax\n\t"
      "syscall\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(&wanted), "S"(sizeof wanted), "r"(what), "r"(with), [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long result asm("x0") = reinterpret_cast<long>(&wanted);
  register long size asm("x1") = sizeof wanted;
  register long number asm("x8") = SYS_clone3;
  register auto* const what asm("x19") = run;
  register void* const with asm("x20") = argument;
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "mov x8, %[exit]\n\t"
      "svc #0\n"
      "1:"
      : "+r"(result)
      : "r"(size), "r"(number), "r"(what), "r"(with), [exit] "i"(SYS_exit)
      : "memory", "x30");
#else
  (void)wanted, (void)run, (void)argument;
  const long result = -ENOSYS;
#endif
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

Spawned by_clone3(int (*run)(void*), void* argument, std::span<std::byte> stack, int group) noexcept {
  Spawned child;
  clone_args wanted{};
  wanted.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  wanted.pidfd = reinterpret_cast<std::uintptr_t>(&child.pidfd);
  wanted.exit_signal = SIGCHLD;
  wanted.stack = reinterpret_cast<std::uintptr_t>(stack.data());
  wanted.stack_size = stack.size();
  if (group >= 0) {
    wanted.flags |= CLONE_INTO_CGROUP;
    wanted.cgroup = static_cast<std::uint64_t>(group);
  }
  child.process = static_cast<pid_t>(clone3_and_run(wanted, run, argument));
  return child;
}

Spawned by_clone(int (*run)(void*), void* argument, std::span<std::byte> stack, bool with_pidfd) noexcept {
  Spawned child;
  const int flags = CLONE_VM | CLONE_VFORK | (with_pidfd ? CLONE_PIDFD : 0) | SIGCHLD;
  child.process = clone(run, stack.data() + stack.size(), flags, argument, &child.pidfd);
  return child;
}

// What a kernel says of a call, or a flag, that it does not know; a sandbox says EPERM.
bool is_lack(int code) noexcept { return code == ENOSYS || code == EPERM || code == EINVAL || code == E2BIG; }

}  // namespace

SpawnLevel spawn_level() noexcept { return level.load(std::memory_order_relaxed); }

void lower_spawn_level(SpawnLevel wanted) noexcept { level.store(wanted, std::memory_order_relaxed); }

Spawned spawn(int (*run)(void*), void* argument, std::span<std::byte> stack, int group) noexcept {
  const auto before = spawn_level();
  for (auto how = before;; how = static_cast<SpawnLevel>(static_cast<int>(how) + 1)) {
    // `run` looks at it, to know whether handlers were reset.
    if (how != before) lower_spawn_level(how);
    const auto child = how == SpawnLevel::clone3 ? by_clone3(run, argument, stack, group)
                                                 : by_clone(run, argument, stack, how == SpawnLevel::pidfd);
    // The frames of the child were never left: it became a program in the midst of them.
    ASAN_UNPOISON_MEMORY_REGION(stack.data(), stack.size());
    if (child.process >= 0 || !is_lack(errno)) return child;
    if (how != SpawnLevel::plain) continue;
    // It was not the call's fault.
    lower_spawn_level(before);
    return child;
  }
}

}  // namespace superd
