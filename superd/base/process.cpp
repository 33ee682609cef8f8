#include "superd/base/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "superd/base/log_pipe.h"

namespace superd {

namespace {

// Those that run no code of ours: io_uring's (iou-wrk-N, iou-sqp-N) live in the kernel, the thread sanitizer's in itself.
constexpr std::string_view kernels_own = "iou-";
#if defined(__SANITIZE_THREAD__)
constexpr int of_sanitizer = 1;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr int of_sanitizer = 1;
#else
constexpr int of_sanitizer = 0;
#endif
#else
constexpr int of_sanitizer = 0;
#endif

int number_of_threads() {
  int count = -of_sanitizer;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    if (!name.starts_with(kernels_own)) ++count;
  }
  return count;
}

// Before Linux 5.9, or in a sandbox, one by one.
void close_from_to(unsigned first, unsigned last) noexcept {
  if (close_range(first, last, 0) == 0) return;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; ++fd) close(static_cast<int>(fd));
}

}  // namespace

Result<> may_fork() try {
  const int threads = number_of_threads();
  if (threads <= 1) return {};
  return error("fork: this process has " + std::to_string(threads) +
               " threads, and only one that has none beside its first may be forked: open this design earlier");
} catch (const std::filesystem::filesystem_error& failure) {
  return system_error("fork: read /proc/self/task", failure.code().value());
}

pid_t fork_on_its_own() noexcept {
  const pid_t child = fork();
  if (child != 0) return child;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  return 0;
}

pid_t fork_child() noexcept {
  const pid_t parent = getpid();
  const pid_t child = fork_on_its_own();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before that call.
  if (getppid() != parent) _exit(0);
  return 0;
}

void forget_signal_handlers() noexcept {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &action, nullptr);
  action.sa_handler = SIG_IGN;
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE}) sigaction(signal, &action, nullptr);
}

namespace {

std::vector<int>& inherited_descriptors() noexcept {
  static std::vector<int> all;
  return all;
}

}  // namespace

void inherit_descriptor(int fd) { inherited_descriptors().push_back(fd); }

void disinherit_descriptor(int fd) noexcept { std::erase(inherited_descriptors(), fd); }

void keep_descriptors(std::span<const int> kept) noexcept {
  unsigned first = STDERR_FILENO + 1;
  std::vector<int> sorted = inherited_descriptors();
  sorted.insert(sorted.end(), kept.begin(), kept.end());
  if (log_pipe() >= 0) sorted.push_back(log_pipe());
  std::ranges::sort(sorted);
  for (const int fd : sorted) {
    if (fd < 0) continue;
    const auto keep = static_cast<unsigned>(fd);
    if (keep < first) continue;
    if (keep > first) close_from_to(first, keep - 1);
    first = keep + 1;
  }
  close_from_to(first, UINT_MAX);
}

void kill_children() noexcept {
  std::ifstream children("/proc/thread-self/children");
  for (pid_t child; children >> child;) (void)kill(child, SIGKILL);
}

// Otherwise the session stays: how the scheduler sees it is set by it.
void leave_terminal() noexcept {
  const int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) return;
  close(terminal);
  (void)setsid();
}

int signal_descriptor(std::initializer_list<int> signals) noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void name_process(const std::string& name) noexcept { prctl(PR_SET_NAME, name.substr(0, 15).c_str()); }

std::string text_of_end(int status) {
  if (WIFSIGNALED(status)) {
    const char* name = sigabbrev_np(WTERMSIG(status));
    return name ? std::string("SIG") + name : "signal " + std::to_string(WTERMSIG(status));
  }
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace superd
