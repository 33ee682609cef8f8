#include "superd/super/life.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

#include "superd/base/log.h"
#include "superd/net/socket.h"

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

namespace {

struct QuantileNames {
  const char *half, *most, *longest;
};

void add_quantiles(std::vector<LogField>& fields, const Histogram& histogram, const QuantileNames& names) {
  const auto seen = histogram.snapshot();
  if (seen.count() == 0) return;
  const auto micros = [](Clock::duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  };
  fields.emplace_back(names.half, micros(seen.quantile(0.5)));
  fields.emplace_back(names.most, micros(seen.quantile(0.99)));
  fields.emplace_back(names.longest, micros(seen.max()));
}

}  // namespace

void log_counters(const Host& host) {
  for (const auto& hosted : host.hosted()) {
    std::vector<LogField> fields{
        {"service", hosted->name         },
        {"level",   hosted->level.count()},
        {"peak",    hosted->level.peak() }
    };
    for (const auto& [name, counter] : counter_table())
      if (const auto value = (hosted->counters.*counter).value()) fields.emplace_back(name, value);
    add_quantiles(fields, hosted->board.waited(), {"waited_p50_us", "waited_p99_us", "waited_max_us"});
    add_quantiles(fields, hosted->board.served_in(), {"service_p50_us", "service_p99_us", "service_max_us"});
    log_event(Severity::info, "counters", fields);
  }
}

void log_reports(const Host& host) {
  const auto micros = [](std::chrono::nanoseconds duration) { return duration.count() / 1000; };
  constexpr std::size_t most_decisions = 16;
  for (const auto& [name, report] : host.reports()) {
    if (report.threads == 0) continue;
    log_event(Severity::info, "design",
              {
                  {"of",            name                                 },
                  {"threads",       report.threads                       },
                  {"spares",        report.spares                        },
                  {"hand_overs",    report.hand_overs                    },
                  {"late_permille", std::lround(1000 * report.late_share)},
                  {"period_us",     micros(report.period)                },
                  {"hand_over_us",  micros(report.cost)                  }
    });
    const auto& all = report.decisions;
    for (const auto& decision : std::span(all).last(std::min(all.size(), most_decisions)))
      log_event(Severity::info, "decision",
                {
                    {"of",     name                                                     },
                    {"ms_ago", duration_cast<Millis>(Clock::now() - decision.at).count()},
                    {"what",   decision.text()                                          }
      });
  }
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
