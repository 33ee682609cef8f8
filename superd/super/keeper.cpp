#include "superd/super/keeper.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "superd/base/log.h"
#include "superd/base/process.h"
#include "superd/engines/poll_timeout.h"
#include "superd/super/privileges.h"
#include "superd/super/rebind.h"
#include "superd/super/show.h"

namespace superd {

namespace {

// Beyond its drain, a host waits some seconds for handlers that compute, before it calls them stuck.
constexpr Seconds beyond_drain{8};

// Where a service belongs: the plan of its host, still without services.
HostPlan plan_for(const ServiceSettings& service) {
  if (service.has_program()) return {.name = "programs", .title = "programs", .runs_programs = true, .services = {}};
  if (service.isolate) return {.name = "of " + service.name, .title = service.name, .services = {}};
  return {.name = "common", .title = "host", .services = {}};
}

// The service manager knows nothing of groups. A failure is told, and the rest served.
void join_groups(const Socket& socket, const ListenAddress& address, const ServiceSettings& service) {
  if (is_stream(address.transport)) return;
  const auto local = local_endpoint(socket);
  const auto joined =
      local ? change_groups(socket.fd(), *local, address.interface, {}, service.options.multicast, address.text)
            : std::unexpected(local.error());
  if (!joined)
    log_event(Severity::warning, "not joined",
              {
                  {"service", service.name       },
                  {"why",     joined.error().what}
    });
}

}  // namespace

// What must be so before a socket is bound.
std::expected<void, Errors> Keeper::prepare(const ServiceTable& table) {
  auto log = LogWriter::start(log_settings_of(table));
  if (!log) return std::unexpected(Errors{"superd: " + log.error().what});
  log_ = std::move(*log);
  auto user = host_identity(table.host_user);
  if (!user) return std::unexpected(Errors{"superd: " + user.error().what});
  host_user_ = std::move(*user);
  if (!table.pid_file.empty()) {
    auto file = PidFile::create(table.pid_file);
    if (!file) return std::unexpected(Errors{"superd: " + file.error().what});
    pid_file_.emplace(std::move(*file));
  }
  // Whatever a host leaves behind comes to us, so that it is reaped, and nothing of a service is left uncounted.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  return {};
}

std::expected<void, Errors> Keeper::start(ServiceTable table) {
  if (auto prepared = prepare(table); !prepared) return prepared;
  auto known = read_files_of_limits(table, host_user_);
  if (!known) return std::unexpected(std::move(known.error()));
  known_sets_ = std::move(*known);
  table_ = std::move(table);
  if (table_.overall_level < ServiceTable::no_overall_level) {
    overall_ = std::make_shared<OverallLevel>(table_.overall_level);
    heal_at_ = Clock::now();
  }
  if (manager_.watchdog()) alive_at_ = Clock::now();
  take_inherited();
  auto bound = rebind(table_, table_, held_sockets());
  if (!bound) return std::unexpected(std::move(bound.error()));
  std::ranges::move(bound->bound, std::back_inserter(listeners_));
  absent_.set(std::move(bound->absent), Clock::now());
  follow_ports();
  for (const auto& service : table_.services)
    boards_.emplace(service.name, std::make_shared<const Scoreboard>(service.name));
  for (auto& plan : plans_for(table_)) {
    auto& host = *hosts_.emplace_back(std::make_unique<KeptHost>(std::move(plan)));
    if (auto started = start_host(host); !started) return std::unexpected(Errors{"superd: " + started.error().what});
  }
  manager_.tell_ready(fmt::format("{} services", table_.services.size()));
  return {};
}

// What nobody has asked for is closed: it would fill its backlog, and be in the way of a later bind(2).
void Keeper::take_inherited() {
  auto inherited = InheritedSockets::take();
  for (const auto& service : table_.services)
    for (const auto& address : service.listen)
      if (auto found = inherited.find(address, table_.port_base)) {
        join_groups(*found, address, service);
        listeners_.push_back({service.name, address, std::move(*found)});
      }
  for (const auto& address : inherited.left())
    log_event(Severity::warning, "a socket of the service manager is not used",
              {
                  {"on",  address                               },
                  {"why", "no service of the file listens there"}
    });
}

std::vector<HostPlan> Keeper::plans_for(const ServiceTable& table) {
  std::map<std::string, HostPlan> plans;
  for (const auto& service : table.services) {
    auto plan = plan_for(service);
    plans.try_emplace(plan.name, plan).first->second.services.insert(service.name);
  }
  std::vector<HostPlan> all;
  for (auto& [name, plan] : plans) all.push_back(std::move(plan));
  return all;
}

Result<> Keeper::start_host(KeptHost& host, Begins how) {
  auto started = host.start([&] { return post_for(host.plan(), how); }, table_.heartbeat);
  if (started) return {};
  host.kill();
  // One that is killed is started anew when it has been reaped; one that was never there, from here.
  if (!host.is_running()) host.plan_restart(Clock::now());
  return error(fmt::format("host {}: {}", host.plan().name, started.error().what));
}

// In the new process, which is no keeper any more: what it does not take is closed.
HostPost Keeper::post_for(const HostPlan& plan, Begins how) {
  HostPost post{.name = plan.title,
                .table = std::move(table_),
                .runs_programs = plan.runs_programs,
                .user = host_user_,
                .heartbeat = table_.heartbeat};
  std::erase_if(post.table.services, [&](const auto& service) { return !plan.has(service.name); });
  for (auto& listener : listeners_)
    if (plan.has(listener.service)) post.listeners.push_back(std::move(listener));
  post.overall = overall_;
  post.own_ports = own_ports_;
  if (how == Begins::in_place_of_another) post.known_sets = std::move(known_sets_);
  for (const auto& service : plan.services) post.boards.emplace(service, boards_.at(service));
  return post;
}

ExitCode Keeper::run() {
  const Socket signals(signal_descriptor({SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}));
  while (!is_draining_ || !hosts_.empty()) {
    const Time next = look_after_all(Clock::now());
    pollfd watched{.fd = signals.fd(), .events = POLLIN};
    poll_until({&watched, 1}, next);
    reap();
    for (signalfd_siginfo told; read(signals.fd(), &told, sizeof told) == sizeof told;)
      obey(static_cast<int>(told.ssi_signo));
  }
  return end();
}

void Keeper::obey(int signal) {
  switch (signal) {
    case SIGTERM:
    case SIGINT: is_draining_ ? cut() : begin_drain(signal); break;
    case SIGHUP: reload(); break;
    case SIGUSR1: reopen_log(); break;
    case SIGUSR2: show(); break;
    default: break;  // SIGCHLD: all that has ended is reaped after each wait
  }
}

// When to be called again.
Time Keeper::look_after_all(Time now) {
  if (now >= alive_at_) {
    manager_.tell_alive();
    alive_at_ = now + *manager_.watchdog();
  }
  if (now >= heal_at_) {
    // A host that died may have taken a place there, and none in its service yet.
    overall_->heal(level());
    heal_at_ = now + Seconds(1);
  }
  if (now >= absent_.next()) serve_come(absent_.try_again(now));
  log_->tend();
  return std::min({alive_at_, heal_at_, absent_.next(), log_->next_tending(), look_after_hosts(now)});
}

Time Keeper::look_after_hosts(Time now) {
  if (now >= kill_at_) {
    kill_at_ = now + beyond_drain;
    for (const auto& host : hosts_) host->kill();
  }
  Time next = kill_at_;
  for (const auto& host : hosts_) {
    if (host->is_due(now)) start_anew(*host);
    host->look(now, table_.heartbeat);
    next = std::min(next, host->next_look());
  }
  return next;
}

void Keeper::start_anew(KeptHost& host) {
  auto started = start_host(host, Begins::in_place_of_another);
  log_event(started ? Severity::info : Severity::error, started ? "a host was replaced" : "a host cannot be replaced",
            {
                {"host",    host.plan().name                              },
                {"process", host.process()                                },
                {"why",     started ? std::string() : started.error().what}
  });
}

// Also what was never ours: under a container's first process come all orphans.
void Keeper::reap() {
  int status = 0;
  for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto host = std::ranges::find(hosts_, ended, [](const auto& one) { return one->process(); });
    if (host == hosts_.end()) {
      (void)log_->ended(ended);
      continue;
    }
    note_end(**host, status);
    if (!(*host)->is_ending()) continue;
    hosts_.erase(host);
    drop_boards();
  }
}

void Keeper::note_end(KeptHost& host, int status) {
  const bool was_told = host.is_ending();
  const auto [cut, stuck] = host.bury();
  drained_.cut += cut;
  drained_.stuck += stuck;
  int lost = 0;
  for (const auto& service : host.plan().services)
    if (!is_served_elsewhere(service, host)) lost += boards_.at(service)->forget_the_dead();
  const bool was_killed = WIFSIGNALED(status);
  if (overall_) overall_->give_back(lost);
  if (was_told && !was_killed) return;
  drained_.cut += was_told ? lost : 0;
  log_event(Severity::error, "a host died",
            {
                {"host", host.plan().name                                                                },
                {"why",  text_of_end(status)                                                             },
                {"lost", lost                                                                            },
                {"then", was_told ? "" : "another one is started; clients wait in the backlog until then"}
  });
  if (!was_told) host.plan_restart(Clock::now());
}

bool Keeper::is_served_elsewhere(const std::string& service, const KeptHost& host) const {
  return std::ranges::any_of(hosts_, [&](const auto& other) {
    return other.get() != &host && other->is_running() && other->plan().has(service);
  });
}

void Keeper::show() {
  for (const auto& [service, board] : boards_) log_counters(service, *board);
  log_log();
  for (const auto& host : hosts_) host->tell(HostVerb::report);
}

void Keeper::reopen_log() {
  const auto opened = log_->reopen();
  log_event(opened ? Severity::info : Severity::error, opened ? "log reopened" : "log not reopened",
            {
                {"process", log_->pid()                                 },
                {"why",     opened ? std::string() : opened.error().what}
  });
}

int Keeper::level() const noexcept {
  int sum = 0;
  for (const auto& [service, board] : boards_) sum += board->seats().count();
  return sum;
}

void Keeper::begin_drain(int signal) {
  is_draining_ = true;
  log_event(Severity::info, "draining",
            {
                {"signal", sigabbrev_np(signal)},
                {"level",  level()             }
  });
  manager_.tell_stopping();
  // The hosts have their own: who comes now is refused when they have closed those.
  listeners_.clear();
  kill_at_ = Clock::now() + table_.drain + beyond_drain;
  for (const auto& host : hosts_) host->end(HostVerb::drain, table_.drain);
  std::erase_if(hosts_, [](const auto& host) { return !host->is_running(); });
}

void Keeper::cut() {
  kill_at_ = std::min(kill_at_, Clock::now() + beyond_drain);
  for (const auto& host : hosts_) host->tell(HostVerb::cut);
}

ExitCode Keeper::end() {
  for (const auto& [service, board] : boards_) log_counters(service, *board);
  log_log();
  log_event(drained_.stuck ? Severity::error : Severity::info, "ended",
            {
                {"cut",   drained_.cut  },
                {"stuck", drained_.stuck}
  });
  return drained_.cut || drained_.stuck ? ExitCode::cut : ExitCode::drained;
}

}  // namespace superd
