// Runs in the memory of the parent, whose thread waits: it may neither allocate nor lock nor call what the C library
// keeps state for (setuid(3), for one, would tell the other threads of the parent). The order is that of rights: what
// needs them comes first, and what forbids most comes last.

#include "superd/base/launch_child.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>

#include "superd/base/spawn.h"

namespace superd {

namespace {

long call(long number, auto... arguments) noexcept { return syscall(number, arguments...); }

bool failed(ChildPlan& plan, const char* what, const char* at = nullptr) noexcept {
  plan.failed = what;
  plan.at = at;
  plan.code = errno;
  return false;
}

bool enter_group(ChildPlan& plan) noexcept {
  if (plan.is_born_in_group && spawn_level() == SpawnLevel::clone3) return true;
  for (const int file : plan.group_entries)
    if (call(SYS_write, file, "0", 1) != 1) return failed(plan, "enter its control group");
  return true;
}

bool take_bounds(ChildPlan& plan) noexcept {
  const auto& wanted = plan.wanted;
  for (const auto& [resource, most] : wanted.bounds) {
    const rlimit both{most, most};
    if (call(SYS_prlimit64, 0, resource, &both, nullptr) != 0) return failed(plan, "setrlimit");
  }
  if (wanted.nice == 0) return true;
  // The system call's answer is 20 less the value, so that it is no error.
  const long now = 20 - call(SYS_getpriority, PRIO_PROCESS, 0);
  if (call(SYS_setpriority, PRIO_PROCESS, 0, now + wanted.nice) != 0) return failed(plan, "setpriority");
  return true;
}

bool take_identity(ChildPlan& plan) noexcept {
  const auto& wanted = plan.wanted;
  const bool has_groups = wanted.identity || wanted.confinement.groups;
  if (has_groups && call(SYS_setgroups, plan.groups.size(), plan.groups.data()) != 0) return failed(plan, "setgroups");
  if (!wanted.identity) return true;
  const auto user = wanted.identity->user;
  const auto group = wanted.identity->group;
  if (call(SYS_setresgid, group, group, group) != 0) return failed(plan, "setresgid");
  if (call(SYS_setresuid, user, user, user) != 0) return failed(plan, "setresuid");
  // Whoever gave root up must not get it back.
  if (user != 0 && call(SYS_setresuid, -1, 0, -1) == 0) {
    errno = EPERM;
    return failed(plan, "give up root for good");
  }
  return true;
}

bool take_rights(ChildPlan& plan) noexcept {
  if (plan.capabilities && !plan.capabilities->prepare()) return failed(plan, "cut capabilities");
  if (!take_identity(plan)) return false;
  if (plan.capabilities && !plan.capabilities->take()) return failed(plan, "take capabilities");
  return true;
}

bool gain_none(ChildPlan& plan) noexcept {
  // A filter and Landlock are for everybody only where no program can be tricked by them that has more rights.
  const bool is_needed = plan.wanted.no_new_privileges || plan.landlock || !plan.filter.empty();
  if (is_needed && call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed(plan, "no_new_privileges");
  return true;
}

bool put(ChildPlan& plan, long from, std::size_t to) noexcept {
  return call(SYS_dup3, from, to, 0) >= 0 || failed(plan, "dup3");
}

// Those that are among 0 to 2 themselves are copied first, so that none is overwritten before.
bool take_streams(ChildPlan& plan) noexcept {
  std::array<long, 3> from{};
  for (std::size_t i = 0; i < 3; ++i) {
    from[i] = plan.streams[i];
    if (from[i] < 3) from[i] = call(SYS_fcntl, plan.streams[i], F_DUPFD_CLOEXEC, 3);
    if (from[i] < 0) return failed(plan, "fcntl");
  }
  for (std::size_t i = 0; i < 3; ++i)
    if (!put(plan, from[i], i)) return false;
  return true;
}

bool take_listeners(ChildPlan& plan) noexcept {
  const auto end = 3 + plan.listeners.size();
  for (int& fd : plan.listeners) {
    fd = static_cast<int>(call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, end));
    if (fd < 0) return failed(plan, "fcntl");
  }
  for (std::size_t i = 0; i < plan.listeners.size(); ++i)
    if (!put(plan, plan.listeners[i], 3 + i)) return false;
  return true;
}

// Also what was opened without CLOEXEC by a library, or before us.
bool close_others(ChildPlan& plan) noexcept {
  const auto first = static_cast<unsigned>(3 + plan.listeners.size());
  if (call(SYS_close_range, first, UINT_MAX, 0) == 0) return true;
  if (errno != ENOSYS && errno != EPERM) return failed(plan, "close_range");
  // Before Linux 5.9, or in a sandbox.
  rlimit limit{};
  if (call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit) != 0) return failed(plan, "getrlimit");
  for (unsigned fd = first; fd < limit.rlim_cur; ++fd) call(SYS_close, fd);
  return true;
}

// sd_listen_fds(3): so that a program does not take for its own what one further up was given.
void write_own_number(ChildPlan& plan) noexcept {
  if (!plan.listen_pid) return;
  std::array<char, 12> digits{};
  std::size_t count = 0;
  for (long number = call(SYS_getpid); number > 0; number /= 10) digits[count++] = static_cast<char>('0' + number % 10);
  char* to = plan.listen_pid;
  while (count > 0) *to++ = digits[--count];
  *to = '\0';
}

void take_signals(const ChildPlan& plan) noexcept {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  // Without the flag of clone3(2) a handler of ours could run here once its signal is no longer blocked.
  const std::uint32_t reset = spawn_level() == SpawnLevel::clone3 ? plan.ignored_signals : ~0U;
  for (int signal = 1; signal < 32; ++signal)
    if (reset & (1U << signal)) (void)sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool take_filter(ChildPlan& plan) noexcept {
  if (plan.filter.empty()) return true;
  const sock_fprog program{static_cast<unsigned short>(plan.filter.size()), plan.filter.data()};
  if (call(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0) return true;
  return failed(plan, "seccomp");
}

// Paths are looked up with the rights that we have, and within the root.
bool prepare(ChildPlan& plan) noexcept {
  const auto& wanted = plan.wanted;
  // No session of its own: each would be a group of its own to the scheduler (sched(7), autogroup), which costs more than
  // all the rest here.
  call(SYS_setpgid, 0, 0);
  call(SYS_umask, wanted.mask);
  if (!enter_group(plan) || !take_bounds(plan)) return false;
  if (!wanted.root.empty() && call(SYS_chroot, wanted.root.c_str()) != 0) return failed(plan, "chroot");
  Landlock::Opened paths;
  if (plan.landlock) paths = plan.landlock->open();
  if (plan.landlock && paths.rules < 0) return failed(plan, "open for landlock", paths.failed);
  if (!take_rights(plan)) return false;
  // As its own user: a directory that is closed to it is not its working directory.
  if (call(SYS_chdir, wanted.directory.c_str()) != 0) return failed(plan, "chdir");
  if (!gain_none(plan)) return false;
  if (plan.landlock && !Landlock::enter(paths.rules)) return failed(plan, "landlock");
  return take_streams(plan) && take_listeners(plan) && close_others(plan);
}

}  // namespace

int become_program(void* shared) noexcept {
  auto& plan = *static_cast<ChildPlan*>(shared);
  if (!prepare(plan)) return 127;
  write_own_number(plan);
  take_signals(plan);
  if (!take_filter(plan)) return 127;
  call(SYS_execve, plan.words[0], plan.words, plan.environment);
  (void)failed(plan, "execve");
  return 127;
}

}  // namespace superd
