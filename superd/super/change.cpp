// How a Host changes what it serves while it does: other designs and limits behind the same listening sockets.

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "superd/base/log.h"
#include "superd/super/host.h"

namespace superd {

namespace {

// A thread that is interrupted in accept(2) notices within microseconds.
constexpr Millis leave_pause{1}, leave_patience{2'000};
// How often it is looked whether a design that was left has ended its conversations.
constexpr Millis retired_pause{50};

/// What cannot change while superd runs; empty: nothing of it does.
std::string fixed_difference(const ServiceSettings& now, const ServiceSettings& wanted) {
  if (now.handler != wanted.handler) return "another handler";
  if (now.program != wanted.program) return "another program";
  if (now.listen != wanted.listen) return "another place to listen";
  return now.options == wanted.options ? "" : "other listening sockets";
}

/// Until all of them take nobody in any more. False: one does not let go.
bool leave_all(std::span<Design* const> designs) {
  for (const Time until = Clock::now() + leave_patience;; std::this_thread::sleep_for(leave_pause)) {
    const auto staying = std::ranges::count_if(designs, [](Design* design) { return !design->leave(); });
    if (staying == 0) return true;
    if (Clock::now() > until) return false;
  }
}

}  // namespace

std::vector<std::string> Host::change(const ServiceTable& wanted) {
  std::vector<std::string> complaints;
  end_retired();
  auto settings = possible_settings(wanted, complaints);
  auto groups = groups_for(settings);
  if (retired_.size() + groups.size() > most_retired) {
    complaints.push_back(
        fmt::format("{} earlier designs still have conversations: try again when they have ended", retired_.size()));
    return complaints;
  }
  change_limits(settings, complaints);
  if (auto made = make_changed(groups); !made) {
    complaints.push_back(made.error().what + "; the designs stay as they were");
    return complaints;
  }
  settings_ = settings;
  if (auto opened = open_changed(groups); !opened)
    complaints.push_back(opened.error().what + "; clients wait until the next change succeeds");
  return complaints;
}

Host::Settings Host::possible_settings(const ServiceTable& wanted, std::vector<std::string>& complaints) const {
  auto result = settings_;
  for (auto& [name, now] : result) {
    const auto found = std::ranges::find(wanted.services, name, &ServiceSettings::name);
    if (found == wanted.services.end()) {
      complaints.push_back(fmt::format("service {}: it is served on: restart superd to end it", name));
      continue;
    }
    if (const auto fixed = fixed_difference(now, *found); !fixed.empty())
      complaints.push_back(
          fmt::format("service {}: {}: restart superd to have that; its other settings are changed", name, fixed));
    if (const auto checked = check_design(found->design); !checked) {
      complaints.push_back(fmt::format("service {}: {}; it stays as it was", name, checked.error().what));
      continue;
    }
    now.design = found->design;
    now.limits = found->limits;
    now.group = found->group;
  }
  for (const auto& service : wanted.services)
    if (!result.contains(service.name))
      complaints.push_back(fmt::format("service {}: it is new: restart superd to have it", service.name));
  return result;
}

void Host::change_limits(Settings& wanted, std::vector<std::string>& complaints) {
  for (const auto& hosted : hosted_) {
    auto& limits = wanted.at(hosted->name).limits;
    if (limits == *hosted->limits) continue;
    if (const auto changed = hosted->change(limits); !changed) {
      complaints.push_back(
          fmt::format("service {}: {}; its limits stay as they were", hosted->name, changed.error().what));
      limits = *hosted->limits;
    }
  }
}

Host::Groups Host::groups_for(const Settings& wanted) const {
  Groups result;
  for (const auto& [name, group] : groups_) {
    for (const auto& listener : group.listeners) {
      const auto& settings = wanted.at(listener->hosted->name);
      auto& fresh = result[group_of(settings)];
      fresh.settings = settings.design;
      fresh.listeners.push_back(listener);
    }
  }
  return result;
}

bool Host::is_unchanged(const std::string& name, const Group& group) const noexcept {
  const auto now = groups_.find(name);
  if (now == groups_.end() || now->second.settings != group.settings) return false;
  // Processes keep the limits that they were forked with.
  const auto is_as_forked = [&](const auto& listener) {
    return !group.forks() || settings_.at(listener->hosted->name).limits == *listener->hosted->limits;
  };
  return std::ranges::is_permutation(now->second.listeners, group.listeners) &&
         std::ranges::all_of(group.listeners, is_as_forked);
}

// Before anybody is asked to leave: what cannot be made changes nothing.
Result<> Host::make_changed(Groups& groups) {
  for (auto& [name, group] : groups) {
    if (is_unchanged(name, group)) continue;
    auto design = make(group);
    if (!design) return std::unexpected(design.error());
    group.design = std::move(*design);
  }
  return {};
}

Result<> Host::open_changed(Groups& groups) {
  std::vector<Design*> leaving;
  for (auto& [name, group] : groups_) {
    const auto stays = groups.find(name);
    if (stays != groups.end() && !stays->second.design)
      stays->second = std::move(group);
    else
      leaving.push_back(group.design.get());
  }
  if (!leave_all(leaving)) log_event(Severity::warning, "a design does not let go of its listener", {});
  for (auto& [name, group] : groups_)
    if (group.design) retired_.push_back({std::move(group.design), std::move(group.listeners)});
  groups_ = std::move(groups);
  return open_designs();
}

void Host::end_retired() noexcept {
  std::erase_if(retired_, [](const Retired& retired) { return retired.design->is_done(); });
}

Time Host::next_tending() const noexcept {
  return std::min(next_healing_, retired_.empty() ? never : Clock::now() + retired_pause);
}

}  // namespace superd
