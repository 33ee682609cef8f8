#include "superd/super/kept_host.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "superd/base/log.h"
#include "superd/base/process.h"

namespace superd {

namespace {

// Opening four thousand listeners takes some hundred milliseconds; a busy small board may need twenty times as long.
constexpr Seconds patience{20};
// What was forked from a host dies with it, within microseconds; this bounds what a process costs us that the kernel
// cannot end.
constexpr Seconds burial{2};
// A host is missed when it has not beaten for so many looks in a row. Two, so that a look that comes just before a beat
// accuses nobody.
constexpr int looks_a_heartbeat = 2;

}  // namespace

KeptHost::KeptHost(HostPlan plan) : plan_(std::move(plan)), pulse_("superd pulse", sizeof(Pulse)) {}

Result<> KeptHost::start(const std::function<HostPost()>& make_post, Millis heartbeat) {
  auto ends = Channel::pair();
  if (!ends) return std::unexpected(ends.error());
  auto& [here, there] = *ends;
  process_ = fork_on_its_own();
  if (process_ < 0) return system_error("fork a host");
  if (process_ == 0) {
    // With all that is forked from it, so that they can be told from others.
    setpgid(0, 0);
    auto post = make_post();
    post.keeper = std::move(there);
    post.pulse = &pulse_;
    HostProcess(std::move(post)).run();
  }
  setpgid(process_, process_);
  there.close();
  channel_ = std::move(here);
  due_ = never;
  begin_watch(Clock::now(), heartbeat);
  const auto word = channel_.receive(Clock::now() + patience);
  if (word && *word && static_cast<HostVerb>((*word)->verb) == HostVerb::done) return {};
  if (word && *word) return error((*word)->text);
  return error(fmt::format("host {} {}", plan_.name, word ? "ended before it served" : "does not begin to serve"));
}

Result<> KeptHost::ask(HostVerb verb, std::string_view text, std::span<const int> descriptors) {
  const Time until = Clock::now() + patience;
  if (auto sent = channel_.send(static_cast<char>(verb), text, descriptors, until); !sent) {
    kill();
    return error(fmt::format("host {}: {}", plan_.name, sent.error().what));
  }
  const auto answer = channel_.receive(until);
  if (answer && *answer && static_cast<HostVerb>((*answer)->verb) == HostVerb::done) return {};
  if (answer && *answer) return error((*answer)->text);
  kill();
  return error(fmt::format("host {} {}", plan_.name, answer ? "ended meanwhile" : "does not answer"));
}

void KeptHost::tell(HostVerb verb, std::string_view text) noexcept {
  if (is_running()) (void)channel_.send(static_cast<char>(verb), text, {}, Clock::now());
}

void KeptHost::end(HostVerb how, Millis patience_with_it) noexcept {
  is_ending_ = true;
  tell(how, std::to_string(patience_with_it.count()));
}

// Its last word, where it drained, is in the channel.
Drained KeptHost::bury() noexcept {
  Drained ended;
  if (is_ending_ && channel_.is_open())
    while (const auto word = channel_.receive(Clock::now())) {
      if (!*word) break;
      std::istringstream((*word)->text) >> ended.cut >> ended.stuck;
    }
  channel_.close();
  for (const Time until = Clock::now() + burial; ::kill(-process_, SIGKILL) == 0 && Clock::now() < until;) {
    while (waitpid(-process_, nullptr, WNOHANG) > 0) continue;
    usleep(200);
  }
  process_ = -1;
  look_at_ = never;
  return ended;
}

void KeptHost::kill() const noexcept {
  if (is_running()) ::kill(process_, SIGKILL);
}

void KeptHost::begin_watch(Time now, Millis heartbeat) noexcept {
  beats_ = pulse_.as<Pulse>().beats.load(std::memory_order_relaxed);
  missed_ = 0;
  look_at_ = now + heartbeat / looks_a_heartbeat;
}

Time KeptHost::next_look() const noexcept { return is_running() ? look_at_ : due_; }

void KeptHost::look(Time now, Millis heartbeat) {
  if (!is_running() || now < look_at_) return;
  const Clock::duration period = heartbeat / looks_a_heartbeat;
  // Who looks late was held up itself, by a throttled cgroup perhaps, and so was the host.
  const bool are_both_late = now - look_at_ > period;
  const auto beats = pulse_.as<Pulse>().beats.load(std::memory_order_relaxed);
  missed_ = beats != beats_ || are_both_late ? 0 : missed_ + 1;
  beats_ = beats;
  look_at_ = now + period;
  if (missed_ < looks_a_heartbeat) return;
  log_event(Severity::error, "a host hangs",
            {
                {"host",    plan_.name                                                  },
                {"process", process_                                                    },
                {"then",    "it is killed; clients wait in the backlog for the next one"}
  });
  missed_ = 0;
  kill();
}

}  // namespace superd
