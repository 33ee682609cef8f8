#include "superd/config/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "superd/config/keys.h"

namespace superd {

namespace {

using ByName = std::unordered_map<std::string_view, const ServiceSettings*>;

ByName by_name(const ServiceTable& table) {
  ByName result;
  for (const auto& service : table.services) result.emplace(service.name, &service);
  return result;
}

const ServiceSettings* find(const ByName& services, std::string_view name) {
  const auto found = services.find(name);
  return found == services.end() ? nullptr : found->second;
}

/// Of the keys that stand in [superd], or of all others.
std::vector<Plan::Difference> differing_keys(bool of_program, const ServiceTable& now, const ServiceSettings& before,
                                             const ServiceTable& wanted, const ServiceSettings& after) {
  std::vector<Plan::Difference> result;
  for (const auto& key : keys()) {
    if ((key.place == Place::program) != of_program) continue;
    auto was = key.write(now, before), is = key.write(wanted, after);
    if (was != is) result.push_back({std::string(key.name), std::move(was), std::move(is)});
  }
  return result;
}

/// A listener of a table, by what tells whether its socket can stay.
struct Stand {
  const ServiceSettings* service;
  const ListenAddress* address;
  bool is_matched = false;

  [[nodiscard]] Plan::Place place() const { return {service->name, address->text}; }
};

std::vector<Stand> stands_of(const ServiceTable& table) {
  std::vector<Stand> result;
  for (const auto& service : table.services)
    for (const auto& address : service.listen) result.push_back({&service, &address});
  return result;
}

/// The sockets that stay, go over, are bound and are closed.
class Matching {
 public:
  Matching(const ServiceTable& now, const ServiceTable& wanted)
      : now_(now), wanted_(wanted), before_(stands_of(now)), after_(stands_of(wanted)) {
    for (auto& stand : before_) there_.emplace(place_of(*stand.address, now_.port_base), &stand);
  }

  void add_to(Plan& plan) {
    // Each in its own service first: what is left may go over to another one.
    for (auto& stand : after_)
      if (take(stand, true)) plan.keep.push_back(stand.place());
    for (auto& stand : after_) {
      if (stand.is_matched) continue;
      if (const auto* from = take(stand, false))
        plan.move.push_back({from->place(), stand.place()});
      else
        plan.bind.push_back(stand.place());
    }
    for (const auto& stand : before_)
      if (!stand.is_matched) plan.close.push_back(stand.place());
  }

 private:
  const Stand* take(Stand& wanted, bool same_service) {
    const auto [first, last] = there_.equal_range(place_of(*wanted.address, wanted_.port_base));
    for (auto candidate = first; candidate != last; ++candidate) {
      auto& stand = *candidate->second;
      if (stand.is_matched || (stand.service->name == wanted.service->name) != same_service) continue;
      // With port 0 each service wants one of its own.
      if (!same_service && !goes_over(*wanted.address)) continue;
      stand.is_matched = wanted.is_matched = true;
      return &stand;
    }
    return nullptr;
  }

  const ServiceTable &now_, &wanted_;
  std::vector<Stand> before_, after_;
  std::unordered_multimap<std::string, Stand*> there_;
};

std::string_view shown(const std::string& value) { return value.empty() ? "not set" : std::string_view(value); }

std::string text_of(const std::vector<Plan::Difference>& differences) {
  std::string text;
  for (const auto& [key, before, after] : differences)
    text += fmt::format("    {}: {} -> {}\n", key, shown(before), shown(after));
  return text;
}

}  // namespace

Plan difference(const ServiceTable& now, const ServiceTable& wanted) {
  Plan plan;
  plan.program = differing_keys(true, now, {}, wanted, {});
  const auto before = by_name(now), after = by_name(wanted);
  for (const auto& service : now.services)
    if (!find(after, service.name)) plan.go.push_back(service.name);
  for (const auto& service : wanted.services) {
    const auto* was = find(before, service.name);
    if (!was)
      plan.come.push_back(service.name);
    else if (*was != service)
      plan.change.push_back({service.name, differing_keys(false, now, *was, wanted, service)});
  }
  Matching(now, wanted).add_to(plan);
  return plan;
}

std::string print_plan(const Plan& plan) {
  std::string text;
  if (!plan.program.empty()) text += "~ [superd]\n" + text_of(plan.program);
  for (const auto& name : plan.come) text += fmt::format("+ service {}: it is new\n", name);
  for (const auto& name : plan.go)
    text += fmt::format("- service {}: it ends when its conversations have ended\n", name);
  for (const auto& [name, differences] : plan.change)
    text += fmt::format(
        "~ service {}\n{}", name,
        differences.empty() ? "    a user or group that it names has another number\n" : text_of(differences));
  for (const auto& [service, address] : plan.bind) text += fmt::format("+ listener {} of {}\n", address, service);
  for (const auto& [service, address] : plan.close)
    text += fmt::format("- listener {} of {}: it closes when those who wait have been taken in\n", address, service);
  for (const auto& [from, to] : plan.move)
    text += fmt::format("> listener {} of {}: it goes over to {}\n", from.address, from.service, to.service);
  return text;
}

std::string place_of(const ListenAddress& address, std::uint16_t port_base) {
  return fmt::format("{}/{}%{}+{}", name_of(address.transport), address.endpoint.text(), address.interface,
                     base_for(address, port_base));
}

bool goes_over(const ListenAddress& address) noexcept {
  return address.transport != Transport::raw && (address.endpoint.is_unix() || address.endpoint.port() != 0);
}

bool is_same_place(const ListenAddress& a, std::uint16_t base_of_a, const ListenAddress& b,
                   std::uint16_t base_of_b) noexcept {
  if (a.transport != b.transport || a.endpoint != b.endpoint || a.interface != b.interface) return false;
  return base_for(a, base_of_a) == base_for(b, base_of_b);
}

}  // namespace superd
