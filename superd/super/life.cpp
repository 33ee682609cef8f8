#include "superd/super/life.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "superd/base/log.h"
#include "superd/net/socket.h"
#include "superd/super/show.h"

namespace superd {

namespace {

sigset_t awaited_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

// The next of them; -1 when `until` has passed, or at any other reason to look around.
int next_signal(Time until) noexcept {
  const auto set = awaited_signals();
  if (until == never) return sigwaitinfo(&set, nullptr);
  const auto left = std::max(until - Clock::now(), Clock::duration::zero());
  const auto seconds = std::chrono::floor<Seconds>(left);
  const timespec limit{seconds.count(), (left - seconds).count()};
  return sigtimedwait(&set, nullptr, &limit);
}

bool another_end_signal() noexcept {
  const auto set = awaited_signals();
  constexpr timespec at_once{};
  for (int signal; (signal = sigtimedwait(&set, nullptr, &at_once)) > 0;)
    if (signal == SIGTERM || signal == SIGINT) return true;
  return false;
}

}  // namespace

Result<> prepare_process() {
  const auto set = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return fill_standard_descriptors();
}

void raise_descriptor_limit(const ServiceTable& table) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  // Beside the clients: listeners, engines, logs.
  rlim_t wanted = 64;
  for (const auto& service : table.services)
    wanted += static_cast<rlim_t>(service.limits.level) + service.listen.size();
  if (limit.rlim_cur < wanted)
    log_event(Severity::warning, "fewer descriptors than all levels need",
              {
                  {"needed",  wanted                       },
                  {"allowed", limit.rlim_cur               },
                  {"then",    "clients wait in the backlog"}
    });
}

ExitCode run_until_signalled(Host& host, const Millis& drain_patience, const std::function<void()>& reload) {
  bool is_broken = false;
  for (;;) {
    const int signal = next_signal(host.next_tending());
    if (signal < 0) {
      (void)host.tend();
      continue;
    }
    if (signal == SIGUSR2) {
      log_counters(host);
      log_reports(host);
      continue;
    }
    if (signal == SIGHUP) {
      if (reload)
        reload();
      else
        log_event(Severity::info, "no reload",
                  {
                      {"signal", "SIGHUP"                  },
                      {"why",    "there is no file to read"}
        });
      continue;
    }
    if (signal == SIGCHLD) {
      if (host.tend()) continue;
      is_broken = true;
      log_event(Severity::error, "a process is lost",
                {
                    {"which", "the one that services under processes and preforked come from"},
                    {"then",  "superd ends, to be started anew"                              }
      });
    }
    log_event(Severity::info, "draining",
              {
                  {"signal", sigabbrev_np(signal)},
                  {"level",  host.level()        }
    });
    const auto [cut, stuck] = drain(host, drain_patience, another_end_signal);
    log_counters(host);
    log_event(stuck ? Severity::error : Severity::info, "ended",
              {
                  {"cut",   cut  },
                  {"stuck", stuck}
    });
    // Their threads would be waited for without end.
    if (stuck) std::_Exit(std::to_underlying(ExitCode::cut));
    if (is_broken) return ExitCode::try_again;
    return cut == 0 ? ExitCode::drained : ExitCode::cut;
  }
}

}  // namespace superd
