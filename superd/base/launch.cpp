#include "superd/base/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>

namespace superd {

namespace {

/// What parent and child share while the one waits for the other: they have the same memory.
struct Start {
  const Launch& wanted;
  std::array<int, 3> streams;
  char* const* words;
  char* const* environment;
  const char* failed = nullptr;  ///< the call that did
  int code = 0;
};

// From here to the execve(2), the child runs in its parent's memory: it may neither allocate nor lock nor call what the
// C library keeps state for (setuid(3), for one, would tell the other threads of the parent).
long call(long number, auto... arguments) noexcept { return syscall(number, arguments...); }

bool failed(Start& start, const char* what) noexcept {
  start.failed = what;
  start.code = errno;
  return false;
}

bool take_identity(Start& start, const Launch::Identity& identity) noexcept {
  const auto& [name, user, group, groups] = identity;
  if (call(SYS_setgroups, groups.size(), groups.data()) != 0) return failed(start, "setgroups");
  if (call(SYS_setresgid, group, group, group) != 0) return failed(start, "setresgid");
  if (call(SYS_setresuid, user, user, user) != 0) return failed(start, "setresuid");
  // Whoever gave root up must not get it back.
  if (user != 0 && call(SYS_setresuid, -1, 0, -1) == 0) {
    errno = EPERM;
    return failed(start, "give up root for good");
  }
  return true;
}

bool take_bounds(Start& start) noexcept {
  const auto& wanted = start.wanted;
  for (const auto& [resource, most] : wanted.bounds) {
    const rlimit both{most, most};
    if (call(SYS_prlimit64, 0, resource, &both, nullptr) != 0) return failed(start, "setrlimit");
  }
  if (wanted.nice == 0) return true;
  // The system call's answer is 20 less the value, so that it is no error.
  const long now = 20 - call(SYS_getpriority, PRIO_PROCESS, 0);
  if (call(SYS_setpriority, PRIO_PROCESS, 0, now + wanted.nice) != 0) return failed(start, "setpriority");
  return true;
}

// First above all three, so that none is overwritten before it was copied.
bool take_streams(Start& start) noexcept {
  std::array<long, 3> high{};
  for (std::size_t i = 0; i < 3; ++i) {
    high[i] = call(SYS_fcntl, start.streams[i], F_DUPFD_CLOEXEC, 3);
    if (high[i] < 0) return failed(start, "fcntl");
  }
  for (std::size_t i = 0; i < 3; ++i)
    if (call(SYS_dup3, high[i], i, 0) < 0) return failed(start, "dup3");
  // Also what was opened without CLOEXEC by a library, or before us.
  if (call(SYS_close_range, 3U, UINT_MAX, 0) != 0) return failed(start, "close_range");
  return true;
}

// Over execve(2), ignored signals stay ignored; handlers do not stay. Nobody ignores real-time signals.
void take_signals() noexcept {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < 32; ++signal) (void)sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool prepare(Start& start) noexcept {
  const auto& wanted = start.wanted;
  call(SYS_setsid);
  call(SYS_umask, wanted.mask);
  if (!take_bounds(start)) return false;
  if (!wanted.root.empty() && call(SYS_chroot, wanted.root.c_str()) != 0) return failed(start, "chroot");
  if (wanted.identity && !take_identity(start, *wanted.identity)) return false;
  // As its own user: a directory that is closed to it is not its working directory.
  if (call(SYS_chdir, wanted.directory.c_str()) != 0) return failed(start, "chdir");
  if (wanted.no_new_privileges && call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return failed(start, "no_new_privileges");
  return take_streams(start);
}

int run(void* shared) noexcept {
  auto& start = *static_cast<Start*>(shared);
  if (prepare(start)) {
    take_signals();
    call(SYS_execve, start.words[0], start.words, start.environment);
    (void)failed(start, "execve");
  }
  return 127;  // its exit code: clone(2)
}

std::vector<char*> pointers_to(std::span<const std::string> some, std::span<const std::string> more = {}) {
  std::vector<char*> all;
  all.reserve(some.size() + more.size() + 1);
  for (const auto& words : {some, more})
    // execve(2) does not write to them.
    for (const auto& word : words) all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

}  // namespace

Result<pid_t> launch(const Launch& wanted, const std::array<int, 3>& streams, std::span<const std::string> more) {
  const auto words = pointers_to(wanted.words), environment = pointers_to(wanted.environment, more);
  Start start{wanted, streams, words.data(), environment.data()};
  constexpr std::size_t room = 32 << 10;
  alignas(16) std::byte stack[room];
  // A handler of ours must not run in the child, which has our memory.
  sigset_t all, before;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = clone(run, stack + room, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
  const int code = errno;
  (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child < 0) return system_error("clone", code);
  if (!start.failed) return child;
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  return system_error(std::string(start.failed) + " for " + wanted.words[0], start.code);
}

}  // namespace superd
