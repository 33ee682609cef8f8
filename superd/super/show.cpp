#include "superd/super/show.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <vector>

#include "superd/base/log.h"
#include "superd/base/log_pipe.h"
#include "superd/net/client_text.h"

namespace superd {

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

// Those that run longest are those that somebody looks for, and a line of a log is no table of processes.
constexpr std::size_t most_programs = 16;

std::vector<WorkerRows::View> programs_of(const Scoreboard& board) {
  auto rows = board.workers().snapshot();
  std::erase_if(rows, [](const auto& row) { return row.program == 0; });
  std::ranges::sort(rows, {}, &WorkerRows::View::since);
  return rows;
}

void log_programs(const std::string& service, const Scoreboard& board) {
  const auto running = programs_of(board);
  const auto& ended = board.programs();
  if (running.empty() && ended.well.value() + ended.badly.value() + ended.by_signal.value() == 0) return;
  log_event(Severity::info, "programs",
            {
                {"service",   service                        },
                {"running",   running.size()                 },
                {"well",      ended.well.value()             },
                {"badly",     ended.badly.value()            },
                {"by_signal", ended.by_signal.value()        },
                {"user_ms",   ended.user_us.value() / 1'000  },
                {"system_ms", ended.system_us.value() / 1'000},
                {"most_kb",   ended.most_kb.value()          }
  });
  for (const auto& row : std::span(running).first(std::min(running.size(), most_programs)))
    log_event(Severity::info, "program",
              {
                  {"service", service                                                },
                  {"process", row.program                                            },
                  {"client",  text_of(row.client)                                    },
                  {"for_ms",  duration_cast<Millis>(Clock::now() - row.since).count()}
    });
}

}  // namespace

void log_counters(const std::string& service, const Scoreboard& board) {
  std::vector<LogField> fields{
      {"service", service              },
      {"level",   board.seats().count()},
      {"peak",    board.seats().peak() }
  };
  for (const auto& [name, counter] : counter_table())
    if (const auto value = (board.counters().*counter).value()) fields.emplace_back(name, value);
  add_quantiles(fields, board.waited(), {"waited_p50_us", "waited_p99_us", "waited_max_us"});
  add_quantiles(fields, board.served_in(), {"service_p50_us", "service_p99_us", "service_max_us"});
  log_event(Severity::info, "counters", fields);
  log_programs(service, board);
}

void log_counters(const Host& host) {
  for (const auto& hosted : host.hosted()) log_counters(hosted->name, hosted->board);
}

void log_log() {
  if (log_pipe() < 0) return;
  const auto& log = log_board();
  log_event(
      Severity::info, "log",
      {
          {"written",   log.written.value()  },
          {"dropped",   log.dropped.value()  },
          {"unwritten", log.unwritten.value()}
  });
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

}  // namespace superd
