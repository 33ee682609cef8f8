// How a Host changes what it serves while it does: what is to be has been made (next.cpp), and listeners change hands.

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>

#include "superd/base/log.h"
#include "superd/super/handlers.h"
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

void log_closing(const Listener& listener) {
  log_event(Severity::info, "closing",
            {
                {"service", listener.hosted->name                                                 },
                {"on",      std::string(name_of(listener.transport)) + "/" + listener.local.text()}
  });
}

}  // namespace

// Whoever else still has the descriptor open. A closed descriptor could be another's before a design that has left it has
// let go of the number.
void Host::refuse_newcomers(std::span<const std::shared_ptr<Listener>> listeners) const noexcept {
  for (const auto& listener : listeners)
    if (is_stream(listener->transport) && !handed_over_.contains(listener->hosted->name))
      shutdown(listener->socket.fd(), SHUT_RDWR);
}

std::vector<std::string> Host::change(const ServiceTable& wanted, std::vector<BoundListener> fresh) {
  end_partings();
  end_retired();
  for (const auto& service : wanted.services) handed_over_.erase(service.name);
  Complaints complaints;
  auto next = next_for(wanted, std::move(fresh), complaints);
  const auto made = next ? make_designs(*next) : std::unexpected(next.error());
  if (!made) {
    complaints.push_back(made.error().what + "; nothing is changed");
    return complaints;
  }
  apply(*next, complaints);
  let_go(*next);
  if (auto opened = open_designs(); !opened)
    complaints.push_back(opened.error().what + "; clients wait until the next change succeeds");
  end_partings();
  end_retired();
  return complaints;
}

// What needs no other design: conversations that begin from now on see it.
void Host::change_limits(HostedService& hosted, ServiceSettings& settings, Complaints& complaints) {
  if (settings.limits == *hosted.limits) return;
  const auto changed = hosted.change(settings.limits);
  if (changed) return;
  complaints.push_back(fmt::format("service {}: {}; its limits stay as they were", hosted.name, changed.error().what));
  settings.limits = *hosted.limits;
}

void Host::apply(Next& next, Complaints& complaints) {
  for (const auto& hosted : next.hosted) {
    auto& settings = next.settings.at(hosted->name);
    change_limits(*hosted, settings, complaints);
    hosted->board.log().change(settings.log);
    if (is_own(*hosted)) continue;
    hosted->program.reset();
    if (settings.has_program())
      hosted->program = settings.program;
    else if (const auto made = put_handler_in_force(*hosted, settings); !made)
      complaints.push_back(made.error().what + "; its handler stays as it was");
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
  stands_ = std::move(next.stands);
  follow_ports();
  follow_groups();
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

void Host::end_partings() noexcept {
  std::erase_if(partings_, [this](const Parting& parting) {
    if (!parting.closes && !parting.design->leave_at(parting.listeners)) return false;
    const bool is_over = parting.design->close_at(parting.listeners);
    if (parting.closes && parting.design->has_closed_at(parting.listeners)) refuse_newcomers(parting.listeners);
    return is_over;
  });
}

void Host::end_retired() noexcept {
  std::erase_if(retired_, [this](Retired& retired) {
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
  const bool is_quiet = retired_.empty() && partings_.empty() && leaving_.empty();
  return std::min({designs_due_, next_healing_, announcer_.next(), is_quiet ? never : Clock::now() + retired_pause});
}

std::vector<HeldSocket> Host::sockets() const {
  std::vector<HeldSocket> result;
  for (const auto& [address, port_base, listener] : stands_)
    result.push_back({listener->hosted->name, address, listener->socket.fd()});
  return result;
}

}  // namespace superd
