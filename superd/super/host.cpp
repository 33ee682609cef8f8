#include "superd/super/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <thread>

#include "superd/base/log.h"
#include "superd/services/services.h"
#include "superd/super/handlers.h"

namespace superd {

namespace {

// Who comes now must not queue for a server that is about to end: it is refused, or finds the next one there. A datagram
// socket stays, for the answers of handlers that are still at work.
void close_streams(std::span<const std::shared_ptr<Listener>> listeners) noexcept {
  for (const auto& listener : listeners)
    if (is_stream(listener->transport)) listener->socket.reset();
}

}  // namespace

// Services of one group share a design. By default a service has threads of its own, but where there are loops, which
// cost nobody anything when they are shared: there, all with the same settings are together.
std::string Host::group_of(const ServiceSettings& settings) {
  if (!settings.group.empty()) return "group " + settings.group;
  // They serve nobody themselves: one dispatcher is enough for all of them.
  if (settings.has_program()) return "programs";
  const auto& design = settings.design;
  if (find_design(design.design)->uses_loops)
    return fmt::format("{} {} {} {} {} {}", design.design, design.engine, design.loops, design.threads, design.queue,
                       design.deadline ? design.deadline->count() : -1);
  return "service " + settings.name;
}

// In shared memory: a process that was forked before a port came knows it too.
Host::Host() : own_ports_(OwnPorts::shared()) {}

void Host::follow_ports() {
  if (!keeps_ports_) return;
  std::vector<std::uint16_t> ports;
  for (const auto& stand : stands_)
    if (stand.address.transport == Transport::udp) ports.push_back(stand.listener->local.port());
  own_ports_->change(ports);
}

Result<> Host::serve(const ServiceTable& table, std::vector<BoundListener> bound) {
  if (!overall_ && table.overall_level < ServiceTable::no_overall_level) {
    overall_ = std::make_shared<OverallLevel>(table.overall_level);
    next_healing_ = Clock::now();
  }
  std::map<std::string, std::vector<BoundListener>> by_service;
  for (auto& listener : bound) by_service[listener.service].push_back(std::move(listener));
  for (const auto& settings : table.services) {
    if (!settings.has_program() && !find_service(settings.handler))
      return error("service " + settings.name + ": no handler is called \"" + settings.handler + "\"");
    auto own = by_service.extract(settings.name);
    auto opened =
        open(settings, nullptr, own ? std::move(own.mapped()) : std::vector<BoundListener>(), table.port_base);
    if (!opened) return opened;
  }
  known_sets_.reset();
  return open_designs();
}

Result<> Host::serve(const ServiceSettings& settings, std::shared_ptr<Service> handler,
                     std::vector<BoundListener> bound) {
  if (auto opened = open(settings, std::move(handler), std::move(bound), 0); !opened) return opened;
  return open_designs();
}

// Without a handler: that of the table, or a program.
Result<std::shared_ptr<HostedService>> Host::hosted_for(const ServiceSettings& settings,
                                                        std::shared_ptr<Service> handler) {
  const auto board = boards_.extract(settings.name);
  const bool is_own = handler != nullptr;
  auto hosted = std::make_shared<HostedService>(settings.name, std::move(handler), settings.limits, own_ports_,
                                                board ? board.mapped() : nullptr);
  if (settings.has_program())
    hosted->program = settings.program;
  else if (!is_own)
    if (auto made = put_handler_in_force(*hosted, settings); !made) return std::unexpected(made.error());
  hosted->board.log().change(settings.log);
  const auto* known = known_sets_ ? &*known_sets_ : nullptr;
  if (auto read = hosted->read_files(known); !read) return error("service " + settings.name + ": " + read.error().what);
  hosted->level.share(overall_);
  return hosted;
}

Result<> Host::open(const ServiceSettings& settings, std::shared_ptr<Service> handler, std::vector<BoundListener> bound,
                    std::uint16_t port_base) {
  if (auto checked = check_design(settings.design); !checked) return checked;
  auto made = hosted_for(settings, std::move(handler));
  if (!made) return std::unexpected(made.error());
  const auto& hosted = *made;
  hosted_.push_back(hosted);
  settings_.insert_or_assign(settings.name, settings);
  auto& group = groups_[group_of(settings)];
  group.settings = settings.design;
  for (auto& listener : bound) {
    const auto local = local_endpoint(listener.socket);
    if (!local) return std::unexpected(local.error());
    if (keeps_ports_ && listener.address.transport == Transport::udp) own_ports_->add(local->port());
    const auto transport = listener.address.transport;
    group.listeners.push_back(std::make_shared<Listener>(std::move(listener.socket), transport, *local, hosted));
    stands_.push_back({std::move(listener.address), port_base, group.listeners.back()});
  }
  return {};
}

bool Host::Group::forks() const noexcept {
  const auto* entry = find_design(settings.design);
  return entry && entry->forks;
}

// Before any design starts a thread. A nursery knows the services there are when it is forked.
Result<> Host::prepare_nursery() {
  if (forks_from_here_) return {};
  const bool is_wanted = std::ranges::any_of(
      groups_, [](const auto& entry) { return entry.second.forks() && !entry.second.fresh().empty(); });
  const bool is_there = !nurseries_.empty() && (known_ == hosted_.size() || !is_wanted);
  if (is_there || !(is_wanted || may_change_)) return {};
  auto nursery = Nursery::start(hosted_, own_ports_);
  if (!nursery) return std::unexpected(nursery.error());
  nurseries_.push_back(std::move(*nursery));
  known_ = hosted_.size();
  return {};
}

Result<std::unique_ptr<Design>> Host::make(const Group& group) {
  if (!group.forks() || forks_from_here_) return make_design(group.settings);
  if (nurseries_.empty())
    return error("design \"" + group.settings.design + "\" forks, which a process with threads cannot: restart superd");
  return nurseries_.back()->make(group.settings);
}

void Host::heal_overall() noexcept {
  if (Clock::now() < next_healing_) return;
  next_healing_ = Clock::now() + Seconds(1);
  overall_->heal(level());
}

bool Host::tend() noexcept {
  end_partings();
  end_retired();
  designs_due_ = never;
  for (auto& [name, group] : groups_)
    if (group.design) designs_due_ = std::min(designs_due_, group.design->tend());
  if (next_healing_ != never) heal_overall();
  announcer_.tend(Clock::now());
  if (std::ranges::all_of(nurseries_, [](const auto& nursery) { return nursery->is_alive(); })) return true;
  // Whoever had them has died with it.
  for (const auto& hosted : hosted_) hosted->release_process(0);
  for (const auto& hosted : leaving_) hosted->release_process(0);
  return false;
}

Result<> Host::open_designs() {
  if (auto prepared = prepare_nursery(); !prepared) return prepared;
  for (auto& [name, group] : groups_) {
    const auto fresh = group.fresh();
    if (fresh.empty()) continue;
    if (!group.design) {
      auto design = make(group);
      if (!design) return std::unexpected(design.error());
      group.design = std::move(*design);
    }
    if (auto opened = group.design->open(fresh); !opened) return opened;
    group.opened = group.listeners.size();
    for (const auto& listener : fresh)
      log_event(Severity::info, "listening",
                {
                    {"service", listener->hosted->name                                                  },
                    {"on",      std::string(name_of(listener->transport)) + "/" + listener->local.text()},
                    {"design",  group.settings.design                                                   }
      });
  }
  // A process that forks has no thread for it: there, whoever decides looks.
  if (!forks_from_here_) refresher_.look_after(hosted_);
  follow_groups();
  return {};
}

void Host::follow_groups() {
  announcer_.begin();
  for (const auto& [address, base, listener] : stands_) {
    const auto found = settings_.find(listener->hosted->name);
    if (found != settings_.end()) announcer_.add(listener, found->second.options.multicast.groups);
  }
}

bool Host::close() noexcept {
  announcer_.end();
  // One that has left takes nobody in, and may yet be about to take the socket out of its engine.
  const auto holding = std::ranges::count_if(retired_, [](const auto& retired) { return !retired.design->close(); });
  bool closed = holding == 0;
  for (auto& [name, group] : groups_) {
    if (!group.design) continue;
    if (group.design->close() && holding == 0)
      close_streams(group.listeners);
    else
      closed = false;
  }
  return closed;
}

void Host::cut() noexcept {
  for (const auto* services : {&hosted_, &leaving_})
    for (const auto& hosted : *services) is_retired_ ? hosted->level.cut_here() : hosted->level.cut_all();
  for (const auto& retired : retired_) retired.design->cut();
  for (auto& [name, group] : groups_)
    if (group.design) group.design->cut();
}

std::vector<std::pair<std::string, Report>> Host::reports() const {
  std::vector<std::pair<std::string, Report>> result;
  for (const auto& [name, group] : groups_)
    if (group.design) result.emplace_back(name, group.design->report());
  return result;
}

// The level tells nothing of who has retired, for others have their seats in it.
bool Host::is_done() const noexcept {
  return std::ranges::all_of(retired_, [](const auto& retired) { return retired.design->is_done(); }) &&
         std::ranges::all_of(groups_,
                             [](const auto& entry) { return !entry.second.design || entry.second.design->is_done(); });
}

int Host::level() const noexcept {
  if (is_retired_) return is_done() ? 0 : 1;
  int sum = 0;
  for (const auto& hosted : hosted_) sum += hosted->level.count();
  for (const auto& hosted : leaving_) sum += hosted->level.count();
  return sum;
}

Host::~Host() { (void)drain(*this, Millis{0}, {}); }

Drained drain(Host& host, Millis patience, const std::function<bool()>& hurry) {
  // How long it takes an interrupted thread to notice is a matter of microseconds; this bounds what waiting costs.
  constexpr Millis shortest{1}, longest{20};
  // Longer than any `linger` that is sensible: after it, a handler computes or blocks in a call of its own.
  constexpr Millis last_patience{5'000};

  std::optional<int> cut;
  Time until = Clock::now() + patience;
  for (Millis pause = shortest;; pause = std::min(pause * 2, longest)) {
    const bool closed = host.close();
    const int level = host.level();
    if (closed && level == 0) return {.cut = cut.value_or(0)};
    const bool time_is_up = Clock::now() >= until;
    if (cut && time_is_up) return {.cut = *cut, .stuck = std::max(level, 1)};
    if (!cut && (time_is_up || (hurry && hurry()))) {
      cut = level;
      until = Clock::now() + last_patience;
      pause = shortest;
    }
    // Again and again: somebody may have been let in from the backlog meanwhile.
    if (cut) host.cut();
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace superd
