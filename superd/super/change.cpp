// How a Host changes what it serves while it does. First all that is to be is made, which changes nothing; then listeners
// change hands.

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>

#include "superd/base/log.h"
#include "superd/config/plan.h"
#include "superd/net/socket_options.h"
#include "superd/services/services.h"
#include "superd/super/host.h"

namespace superd {

namespace {

// A thread that is interrupted in accept(2) notices within microseconds.
constexpr Millis leave_pause{1}, leave_patience{2'000};
// How often it is looked whether a design that was left has ended its conversations.
constexpr Millis retired_pause{50};

/// Until all of them are true. False: one is not in time.
bool wait_for_all(std::span<const std::function<bool()>> conditions) {
  for (const Time until = Clock::now() + leave_patience;; std::this_thread::sleep_for(leave_pause)) {
    if (std::ranges::count_if(conditions, [](const auto& is_met) { return !is_met(); }) == 0) return true;
    if (Clock::now() > until) return false;
  }
}

using Sockets = std::span<const std::shared_ptr<Listener>>;

/// Who comes now is refused, whoever else still has the descriptor open. A closed descriptor could be another's before a
/// design that has left it has let go of the number.
void refuse_newcomers(Sockets listeners) noexcept {
  for (const auto& listener : listeners)
    if (is_stream(listener->transport)) shutdown(listener->socket.fd(), SHUT_RDWR);
}

void log_closing(const Listener& listener) {
  log_event(Severity::info, "closing",
            {
                {"service", listener.hosted->name                                                 },
                {"on",      std::string(name_of(listener.transport)) + "/" + listener.local.text()}
  });
}

}  // namespace

std::vector<std::string> Host::change(const ServiceTable& wanted, std::vector<BoundListener> fresh) {
  end_partings();
  end_retired();
  Complaints complaints;
  auto next = next_for(wanted, std::move(fresh), complaints);
  const auto made = next ? make_designs(*next) : std::unexpected(next.error());
  if (!made) {
    complaints.push_back(made.error().what + "; nothing is changed");
    return complaints;
  }
  apply(*next);
  let_go(*next);
  if (auto opened = open_designs(); !opened)
    complaints.push_back(opened.error().what + "; clients wait until the next change succeeds");
  end_partings();
  end_retired();
  return complaints;
}

Result<Host::Next> Host::next_for(const ServiceTable& wanted, std::vector<BoundListener> fresh,
                                  Complaints& complaints) {
  Next next{.settings = settings_for(wanted, complaints)};
  for (const auto& hosted : hosted_)
    if (next.settings.contains(hosted->name)) next.hosted.push_back(hosted);
  for (const auto& hosted : next.hosted)
    if (is_own(*hosted)) next.unlisted.insert(hosted->name);
  for (const auto& service : wanted.services) {
    next.unlisted.erase(service.name);
    if (next.settings.contains(service.name) && !settings_.contains(service.name))
      next.hosted.push_back(hosted_for(service, nullptr));
  }
  if (auto found = find_stands(next, std::move(fresh), wanted.port_base); !found) return std::unexpected(found.error());
  group(next);
  return next;
}

bool Host::is_own(const HostedService& hosted) const noexcept {
  return hosted.service.name().empty() && !hosted.program;
}

Host::Settings Host::settings_for(const ServiceTable& wanted, Complaints& complaints) const {
  Settings result;
  for (const auto& hosted : hosted_)
    if (is_own(*hosted)) result.emplace(hosted->name, settings_.at(hosted->name));
  for (const auto& service : wanted.services) {
    auto checked = check_design(service.design);
    const bool is_known = result.contains(service.name) || service.has_program() || find_service(service.handler);
    if (checked && !is_known) checked = error("no handler is called \"" + service.handler + "\"");
    if (checked) {
      result.insert_or_assign(service.name, service);
      continue;
    }
    complaints.push_back(fmt::format("service {}: {}; it stays as it was", service.name, checked.error().what));
    if (const auto now = settings_.find(service.name); now != settings_.end()) result.insert(*now);
  }
  return result;
}

// Fresh sockets first: whoever has bound an address anew wants that.
Result<> Host::find_stands(Next& next, std::vector<BoundListener> fresh, std::uint16_t port_base) const {
  std::map<std::string_view, std::shared_ptr<HostedService>> services;
  for (const auto& hosted : next.hosted) services.emplace(hosted->name, hosted);
  std::vector<std::uint64_t> taken_over;
  std::vector<Stand> come;
  std::map<std::string, std::vector<ListenAddress>> missing;
  for (const auto& [name, settings] : next.settings) missing.emplace(name, settings.listen);
  const auto strike = [&](const std::string& name, const ListenAddress& address, std::uint16_t base) {
    auto& addresses = missing.at(name);
    const auto place =
        std::ranges::find_if(addresses, [&](const auto& a) { return is_same_place(a, port_base, address, base); });
    if (place == addresses.end()) return false;
    addresses.erase(place);
    return true;
  };
  for (auto& bound : fresh) {
    const auto hosted = services.find(bound.service);
    if (hosted == services.end() || !strike(bound.service, bound.address, port_base)) continue;
    const auto local = local_endpoint(bound.socket);
    if (!local) return std::unexpected(local.error());
    taken_over.push_back(identity_of(bound.socket));
    const auto transport = bound.address.transport;
    come.push_back({std::move(bound.address), port_base,
                    std::make_shared<Listener>(std::move(bound.socket), transport, *local, hosted->second)});
  }
  for (const auto& stand : stands_) {
    const auto& hosted = *stand.listener->hosted;
    const bool is_wanted = services.contains(hosted.name) &&
                           (next.unlisted.contains(hosted.name) || strike(hosted.name, stand.address, stand.port_base));
    if (is_wanted)
      next.stands.push_back(stand);
    else if (std::ranges::find(taken_over, identity_of(stand.listener->socket)) == taken_over.end())
      next.removed.insert(stand.listener);
  }
  std::ranges::move(come, std::back_inserter(next.stands));
  return {};
}

void Host::group(Next& next) {
  for (const auto& stand : next.stands) {
    const auto& settings = next.settings.at(stand.listener->hosted->name);
    auto& group = next.groups[group_of(settings)];
    group.settings = settings.design;
    group.listeners.push_back(stand.listener);
  }
}

bool Host::stays(const Group& now, const Group& next, const Settings& settings) const noexcept {
  if (!now.design || now.settings != next.settings) return false;
  if (now.design->can_part()) return true;
  // Processes keep what they were forked with.
  const auto is_as_forked = [&](const auto& listener) {
    const auto &before = settings_.at(listener->hosted->name), &after = settings.at(listener->hosted->name);
    return !now.forks() ||
           (before.limits == after.limits && before.handler == after.handler && before.program == after.program);
  };
  return std::ranges::is_permutation(now.listeners, next.listeners) &&
         std::ranges::all_of(next.listeners, is_as_forked);
}

// Before anybody is asked to leave: what cannot be made changes nothing.
Result<> Host::make_designs(Next& next) {
  std::size_t anew = 0;
  for (auto& [name, group] : next.groups) {
    const auto now = groups_.find(name);
    if (now != groups_.end() && stays(now->second, group, next.settings)) continue;
    auto design = make(group);
    if (!design) return std::unexpected(design.error());
    group.design = std::move(*design);
    ++anew;
  }
  // One that loses some of its listeners for good, and the others to another design, leaves the backlogs of those to a
  // design that is made for them.
  for (auto& [name, group] : groups_) {
    const auto after = next.groups.find(name);
    if (!group.design || (after != next.groups.end() && !after->second.design)) continue;
    Sockets removed;
    std::ranges::copy_if(group.listeners, std::back_inserter(removed),
                         [&](const auto& listener) { return next.removed.contains(listener); });
    if (removed.empty() || removed.size() == group.listeners.size()) continue;
    auto design = make(group);
    if (!design) return std::unexpected(design.error());
    next.closing.push_back({.design = std::move(*design), .listeners = std::move(removed), .closes = true});
    ++anew;
  }
  if (anew == 0 || retired_.size() + anew <= most_retired) return {};
  return error(
      fmt::format("{} earlier designs still have conversations: try again when they have ended", retired_.size()));
}

// What needs no other design: conversations that begin from now on see it.
void Host::apply(const Next& next) {
  for (const auto& hosted : next.hosted) {
    const auto& settings = next.settings.at(hosted->name);
    if (settings.limits != *hosted->limits) hosted->change(settings.limits);
    if (is_own(*hosted)) continue;
    hosted->program.reset();
    if (settings.has_program())
      hosted->program = settings.program;
    else if (!hosted->service.change_back(settings.handler))
      hosted->service.change(settings.handler, find_service(settings.handler)->make());
  }
}

void Host::let_go(Next& next) {
  for (const auto& listener : next.removed) log_closing(*listener);
  std::vector<std::function<bool()>> leaves;
  for (auto& [name, group] : groups_) {
    const auto after = next.groups.find(name);
    if (!group.design) continue;
    if (after != next.groups.end() && !after->second.design)
      part(group, after->second, next.removed);
    else
      retire(group, next.removed);
  }
  for (const auto& parting : partings_)
    if (!parting.closes) leaves.emplace_back([&parting] { return parting.design->leave_at(parting.listeners); });
  for (const auto& retired : retired_)
    if (!retired.closes) leaves.emplace_back([&retired] { return retired.design->leave(); });
  if (!wait_for_all(leaves)) log_event(Severity::warning, "a design does not let go of its listener", {});

  for (auto& [name, group] : next.groups) {
    if (group.design) continue;
    auto& now = groups_.at(name);
    group.design = std::move(now.design);
    // Those that it has already stand first.
    const ListenerSet there(now.listeners.begin(), now.listeners.end());
    const auto fresh =
        std::ranges::stable_partition(group.listeners, [&](const auto& listener) { return there.contains(listener); });
    group.opened = group.listeners.size() - fresh.size();
  }
  for (auto& closing : next.closing) {
    (void)closing.design->open(closing.listeners);
    retired_.push_back(std::move(closing));
  }
  groups_ = std::move(next.groups);
  for (auto& hosted : hosted_)
    if (!next.settings.contains(hosted->name)) leaving_.push_back(std::move(hosted));
  hosted_ = std::move(next.hosted);
  known_ = hosted_.size();
  settings_ = std::move(next.settings);
  const auto before = std::exchange(stands_, std::move(next.stands));
  follow_ports(before);
}

// All that the design has goes; who waits at listeners that are removed is taken in by it, or where others go over to
// another design, by the one that was made for that.
void Host::retire(Group& group, const ListenerSet& removed) {
  std::erase_if(partings_, [&](const Parting& parting) {
    if (parting.design != group.design.get()) return false;
    if (parting.closes) refuse_newcomers(parting.listeners);
    return true;
  });
  const bool closes =
      std::ranges::all_of(group.listeners, [&](const auto& listener) { return removed.contains(listener); });
  retired_.push_back({.design = std::move(group.design), .listeners = std::move(group.listeners), .closes = closes});
}

void Host::part(Group& group, const Group& next, const ListenerSet& removed) {
  const ListenerSet remaining(next.listeners.begin(), next.listeners.end());
  Parting leaving{group.design.get(), {}, false}, closing{group.design.get(), {}, true};
  for (const auto& listener : group.listeners) {
    if (remaining.contains(listener)) continue;
    (removed.contains(listener) ? closing : leaving).listeners.push_back(listener);
  }
  for (auto* parting : {&leaving, &closing})
    if (!parting->listeners.empty()) partings_.push_back(std::move(*parting));
}

void Host::follow_ports(const std::vector<Stand>& before) {
  for (const auto& stand : before)
    if (stand.address.transport == Transport::udp) own_ports_->remove(stand.listener->local.port());
  for (const auto& stand : stands_)
    if (stand.address.transport == Transport::udp) own_ports_->add(stand.listener->local.port());
}

void Host::end_partings() noexcept {
  std::erase_if(partings_, [](const Parting& parting) {
    if (!parting.closes && !parting.design->leave_at(parting.listeners)) return false;
    const bool is_over = parting.design->close_at(parting.listeners);
    if (parting.closes && parting.design->has_closed_at(parting.listeners)) refuse_newcomers(parting.listeners);
    return is_over;
  });
}

void Host::end_retired() noexcept {
  std::erase_if(retired_, [](Retired& retired) {
    if (retired.closes && !retired.closed) {
      if (!retired.design->close()) return false;
      retired.closed = true;
      refuse_newcomers(retired.listeners);
    }
    return retired.design->is_done();
  });
  std::erase_if(leaving_, [](const auto& hosted) { return hosted->level.count() == 0; });
}

Time Host::next_tending() const noexcept {
  return retired_.empty() && partings_.empty() && leaving_.empty() ? never : Clock::now() + retired_pause;
}

std::vector<HeldSocket> Host::sockets() const {
  std::vector<HeldSocket> result;
  for (const auto& [address, port_base, listener] : stands_)
    result.push_back({listener->hosted->name, address, listener->socket.fd()});
  return result;
}

}  // namespace superd
