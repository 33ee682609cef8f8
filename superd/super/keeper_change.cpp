// How a keeper changes what is served while it is served: other services, other hosts, the same sockets.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "superd/base/log.h"
#include "superd/config/plan.h"
#include "superd/super/keeper.h"
#include "superd/super/privileges.h"
#include "superd/super/rebind.h"

namespace superd {

namespace {

void log_each(std::string_view event, const Errors& lines) {
  for (const auto& line : lines)
    log_event(Severity::error, event,
              {
                  {"why", line}
    });
}

const ServiceSettings* settings_of(const ServiceTable& table, const std::string& name) {
  const auto found = std::ranges::find(table.services, name, &ServiceSettings::name);
  return found == table.services.end() ? nullptr : &*found;
}

/// The keys of [superd] that a host goes by.
bool differs_for_hosts(const ServiceTable& a, const ServiceTable& b) {
  return a.port_base != b.port_base || a.drain != b.drain || a.heartbeat != b.heartbeat;
}

}  // namespace

void Keeper::reload() {
  if (!read_again_) {
    log_event(Severity::info, "no reload",
              {
                  {"signal", "SIGHUP"                  },
                  {"why",    "there is no file to read"}
    });
    return;
  }
  manager_.tell_reloading();
  auto wanted = read_again_();
  const auto refused = wanted ? change_to(std::move(*wanted)) : std::unexpected(wanted.error());
  log_each(refused ? "not changed" : "no reload", refused ? *refused : refused.error());
  if (refused)
    log_event(Severity::info, "reloaded",
              {
                  {"file",        file_          },
                  {"not_changed", refused->size()}
    });
  manager_.tell_ready(fmt::format("{} services", table_.services.size()));
}

std::expected<Errors, Errors> Keeper::change_to(ServiceTable wanted) {
  auto user = host_identity(wanted.host_user);
  if (!user) return std::unexpected(Errors{user.error().what});
  auto known = read_files_of_limits(wanted, *user);
  if (!known) return std::unexpected(std::move(known.error()));
  auto fresh = rebind(table_, wanted, held_sockets());
  if (!fresh) return std::unexpected(std::move(fresh.error()));

  // From here on it is so, whatever becomes of a host: one that fails is started anew with what is in force then.
  const bool are_others = std::exchange(host_user_, std::move(*user)) != host_user_;
  const auto before = std::exchange(table_, std::move(wanted));
  known_sets_ = std::move(*known);
  Errors complaints = change_options_of_held(before, table_, held_sockets());
  const auto sockets_before = sockets_by_host();
  const auto not_wanted = take_over(before, std::move(fresh->bound));
  follow_ports();
  absent_.set(std::move(fresh->absent), Clock::now());
  for (const auto& service : table_.services)
    if (!boards_.contains(service.name))
      boards_.emplace(service.name, std::make_shared<const Scoreboard>(service.name));

  change_overall_level(before.overall_level, complaints);
  change_log(complaints);
  if (are_others) retire_hosts([](const HostPlan& plan) { return !plan.runs_programs; });
  auto plans = plans_for(table_);
  retire_hosts(
      [&](const HostPlan& plan) { return std::ranges::find(plans, plan.name, &HostPlan::name) == plans.end(); });
  change_hosts(before, sockets_before, std::move(plans), complaints);
  drop_boards();
  return complaints;
}

void Keeper::change_overall_level(int before, Errors& complaints) {
  if (overall_)
    overall_->change(table_.overall_level);
  else if (table_.overall_level != before)
    complaints.push_back("overall_level: there was none when superd started: restart it to have one");
}

void Keeper::change_log(Errors& complaints) {
  set_log(table_.log_level, table_.log_format);
  if (auto changed = log_->change(log_settings_of(table_)); !changed)
    complaints.push_back(changed.error().what + "; lines go where they went before");
}

std::vector<HeldSocket> Keeper::held_sockets() const {
  std::vector<HeldSocket> all;
  for (const auto& listener : listeners_) all.push_back({listener.service, listener.address, listener.socket.fd()});
  return all;
}

Keeper::SocketsByHost Keeper::sockets_by_host() const {
  SocketsByHost all;
  for (const auto& host : hosts_)
    for (const auto& listener : listeners_)
      if (!host->is_ending() && host->plan().has(listener.service)) all[host->plan().name].insert(listener.socket.fd());
  return all;
}

// The sockets that the table in force needs become listeners_; the others are returned, still open, so that no number is
// given twice before every host has been told.
std::vector<BoundListener> Keeper::take_over(const ServiceTable& before, std::vector<BoundListener> fresh) {
  auto there = std::exchange(listeners_, std::move(fresh));
  const std::size_t bound = listeners_.size();
  const auto is_bound = [&](const ServiceSettings& service, const ListenAddress& address) {
    return std::ranges::any_of(std::span(listeners_).first(bound), [&](const BoundListener& one) {
      return one.service == service.name && one.address == address;
    });
  };
  for (const auto& service : table_.services)
    for (const auto& address : service.listen) {
      if (is_bound(service, address)) continue;
      const auto stays = std::ranges::find_if(there, [&](const BoundListener& one) {
        return one.socket.is_open() && one.service == service.name &&
               is_same_place(one.address, before.port_base, address, table_.port_base);
      });
      if (stays != there.end()) listeners_.push_back({service.name, address, std::move(stays->socket)});
    }
  return there;
}

// Before a host has the sockets that are new: it never answers to a port of ours.
void Keeper::follow_ports() {
  std::vector<std::uint16_t> ports;
  for (const auto& listener : listeners_) {
    if (listener.address.transport != Transport::udp) continue;
    if (const auto local = local_endpoint(listener.socket)) ports.push_back(local->port());
  }
  own_ports_->change(ports);
}

void Keeper::retire_hosts(const std::function<bool(const HostPlan&)>& shall_go) {
  for (const auto& host : hosts_) {
    if (host->is_ending() || !shall_go(host->plan())) continue;
    Millis longest{0};
    for (const auto& service : host->plan().services)
      if (const auto* settings = settings_of(table_, service)) longest = std::max(longest, settings->limits.total);
    host->end(HostVerb::retire, std::max(longest, table_.drain));
  }
  std::erase_if(hosts_, [](const auto& host) { return host->is_ending() && !host->is_running(); });
}

void Keeper::change_hosts(const ServiceTable& before, const SocketsByHost& sockets_before, std::vector<HostPlan> plans,
                          Errors& complaints) {
  // Who loses a service lets it go before another one gets it.
  std::ranges::stable_partition(plans, [&](const HostPlan& plan) {
    const auto* host = find_host(plan.name);
    return host && std::ranges::any_of(host->plan().services, [&](const auto& name) { return !plan.has(name); });
  });
  for (auto& plan : plans) {
    auto* host = find_host(plan.name);
    const auto done = !host                ? start_host(*hosts_.emplace_back(std::make_unique<KeptHost>(plan)))
                      : host->is_running() ? tell_change(*host, plan, before, sockets_before)
                                           : Result<>{};
    if (host) host->change_plan(std::move(plan));
    if (!done) complaints.push_back(done.error().what);
  }
}

Result<> Keeper::tell_change(KeptHost& host, const HostPlan& plan, const ServiceTable& before,
                             const SocketsByHost& sockets_before) {
  HostOrder order{.table = table_, .removed = {}, .moved = {}, .boards = {}, .listeners = {}};
  const bool all_differ = differs_for_hosts(before, table_);
  const auto is_to_be_told = [&](const ServiceSettings& service) {
    if (!plan.has(service.name)) return false;
    const auto* settings = settings_of(before, service.name);
    return all_differ || !host.plan().has(service.name) || !settings || *settings != service;
  };
  std::erase_if(order.table.services, [&](const auto& service) { return !is_to_be_told(service); });
  for (const auto& name : host.plan().services)
    if (!plan.has(name)) (settings_of(table_, name) ? order.moved : order.removed).push_back(name);
  if (order.table.services.empty() && order.removed.empty() && order.moved.empty()) return {};

  std::vector<int> descriptors;
  for (const auto& service : order.table.services) {
    if (host.plan().has(service.name)) continue;
    order.boards.push_back(service.name);
    descriptors.push_back(boards_.at(service.name)->fd());
  }
  const auto there = sockets_before.find(host.plan().name);
  for (const auto& listener : listeners_) {
    const auto* service = settings_of(order.table, listener.service);
    const int fd = listener.socket.fd();
    if (!service || (there != sockets_before.end() && there->second.contains(fd))) continue;
    const auto place = std::ranges::find(service->listen, listener.address);
    if (place == service->listen.end()) continue;
    order.listeners.push_back({service->name, static_cast<std::size_t>(place - service->listen.begin())});
    descriptors.push_back(fd);
  }
  return host.ask(HostVerb::change, print_host_order(order), descriptors);
}

// Of services that nobody serves any more, not even to their end.
void Keeper::drop_boards() {
  std::erase_if(boards_, [&](const auto& board) {
    return !settings_of(table_, board.first) &&
           std::ranges::none_of(hosts_, [&](const auto& host) { return host->plan().has(board.first); });
  });
}

// Addresses that were not there, and are now.
void Keeper::serve_come(std::vector<BoundListener> fresh) {
  if (fresh.empty()) return;
  const auto sockets_before = sockets_by_host();
  std::set<std::string> services;
  for (const auto& listener : fresh) services.insert(listener.service);
  std::ranges::move(fresh, std::back_inserter(listeners_));
  follow_ports();
  // As if these services differed, which is to say that they are looked at anew.
  auto before = table_;
  std::erase_if(before.services, [&](const auto& service) { return services.contains(service.name); });
  Errors complaints;
  change_hosts(before, sockets_before, plans_for(table_), complaints);
  log_each("not changed", complaints);
}

KeptHost* Keeper::find_host(const std::string& name) const {
  const auto found =
      std::ranges::find_if(hosts_, [&](const auto& host) { return !host->is_ending() && host->plan().name == name; });
  return found == hosts_.end() ? nullptr : found->get();
}

}  // namespace superd
