// What a Host is to serve next, made before anything is changed (change.cpp).

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "superd/config/plan.h"
#include "superd/net/socket_options.h"
#include "superd/services/services.h"
#include "superd/super/host.h"

namespace superd {

Result<Host::Next> Host::next_for(const ServiceTable& wanted, std::vector<BoundListener> fresh,
                                  Complaints& complaints) {
  Next next{.settings = settings_for(wanted, complaints)};
  for (const auto& hosted : hosted_)
    if (next.settings.contains(hosted->name)) next.hosted.push_back(hosted);
  for (const auto& hosted : next.hosted)
    if (is_own(*hosted)) next.unlisted.insert(hosted->name);
  for (const auto& service : wanted.services) {
    next.unlisted.erase(service.name);
    if (!next.settings.contains(service.name) || settings_.contains(service.name)) continue;
    auto hosted = hosted_for(service, nullptr);
    if (!hosted) return std::unexpected(hosted.error());
    next.hosted.push_back(std::move(*hosted));
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

}  // namespace superd
