#include "superd/base/launcher.h"

#include <linux/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>

#include "superd/base/launch_child.h"
#include "superd/base/may_launch.h"
#include "superd/base/seccomp.h"

namespace superd {

namespace {

// A bit for each standard signal. Over execve(2), ignored signals stay ignored; handlers do not stay. Nobody ignores
// real-time signals.
std::uint32_t ask_ignored_signals() noexcept {
  std::uint32_t ignored = 0;
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action{};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ignored |= 1U << signal;
  }
  return ignored;
}

// execve(2) does not write to them.
void append(std::vector<char*>& to, std::span<const std::string> words) {
  for (const auto& word : words) to.push_back(const_cast<char*>(word.c_str()));
}

}  // namespace

Launcher::Launcher(const Launch& wanted)
    : wanted_(wanted), landlock_(wanted.confinement), ignored_signals_(ask_ignored_signals()) {
  const auto& [groups, capabilities, filters, read, write, execute, best_effort] = wanted.confinement;
  if (groups)
    for (const auto& group : *groups) groups_.push_back(group.id);
  else if (wanted.identity)
    groups_ = wanted.identity->groups;
  if (capabilities) capabilities_.emplace(*capabilities);
}

Result<Launcher> Launcher::make(const Launch& wanted, const std::string& name) {
  if (auto may = may_launch(wanted); !may) return std::unexpected(may.error());
  Launcher launcher(wanted);
  append(launcher.words_, launcher.wanted_.words);
  launcher.words_.push_back(nullptr);
  if (auto confined = launcher.confine(name); !confined) return std::unexpected(confined.error());
  return launcher;
}

Result<> Launcher::confine(const std::string& name) {
  // Without the right to say so, it is left as it is.
  if (wanted_.identity && is_own_identity(*wanted_.identity) && !has_capability(CAP_SETGID)) wanted_.identity.reset();
  const auto& confinement = wanted_.confinement;
  auto filter = make_filter(confinement.filters, words_.data());
  if (!filter) return error("seccomp: " + filter.error().what);
  filter_ = std::move(*filter);
  if (confinement.has_paths() && !landlock_.is_wanted()) left_out_ = "paths: this kernel has no Landlock";
  if (!wanted_.share.is_limited()) return {};
  auto group = ControlGroup::make(name, wanted_.share);
  if (group)
    group_.emplace(std::move(*group));
  else if (confinement.best_effort)
    left_out_ += (left_out_.empty() ? "" : "; ") + group.error().what;
  else
    return std::unexpected(group.error());
  return {};
}

Result<Spawned> Launcher::start(const std::array<int, 3>& streams, std::span<const std::string> more,
                                std::span<const int> listeners) {
  std::vector<char*> environment;
  environment.reserve(wanted_.environment.size() + more.size() + 3);
  append(environment, wanted_.environment);
  append(environment, more);
  // As long as any number of a process.
  std::string listen_pid = "LISTEN_PID=4294967295", listen_fds = "LISTEN_FDS=" + std::to_string(listeners.size());
  const auto number_at = listen_pid.find('=') + 1;
  if (!listeners.empty()) environment.insert(environment.end(), {listen_pid.data(), listen_fds.data()});
  environment.push_back(nullptr);
  std::vector<int> passed(listeners.begin(), listeners.end());

  ChildPlan plan{wanted_};
  plan.groups = groups_;
  plan.capabilities = capabilities_ ? &*capabilities_ : nullptr;
  plan.landlock = landlock_.is_wanted() ? &landlock_ : nullptr;
  plan.filter = filter_;
  plan.ignored_signals = ignored_signals_;
  plan.streams = streams;
  plan.listeners = passed;
  plan.listen_pid = listeners.empty() ? nullptr : listen_pid.data() + number_at;
  plan.words = words_.data();
  plan.environment = environment.data();
  if (group_) plan.group_entries = group_->entries();
  plan.is_born_in_group = group_ && group_->birthplace() >= 0;
  return run(plan, plan.is_born_in_group ? group_->birthplace() : -1);
}

Result<Spawned> Launcher::run(ChildPlan& plan, int birthplace) {
  constexpr std::size_t room = 32 << 10;
  alignas(16) std::array<std::byte, room> stack;
  // A handler of ours must not run in the child, which has our memory.
  sigset_t all, before;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto child = spawn(become_program, &plan, stack, birthplace);
  const int code = errno;
  (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child.process < 0) return system_error("clone", code);
  if (!plan.failed) return child;
  if (child.pidfd >= 0) close(child.pidfd);
  while (waitpid(child.process, nullptr, 0) < 0 && errno == EINTR) continue;
  const auto at = plan.at ? std::string(" ") + plan.at : std::string();
  return system_error(plan.failed + at + " for " + plan.wanted.words[0], plan.code);
}

void Launcher::kill_group() noexcept {
  if (group_) group_->kill();
}

}  // namespace superd
