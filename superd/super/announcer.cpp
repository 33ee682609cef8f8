#include "superd/super/announcer.h"

#include <algorithm>

namespace superd {

void Announcer::add(std::shared_ptr<Listener> listener, std::vector<Membership> groups) {
  if (listener->transport != Transport::udp || !listener->hosted->service) return;
  std::erase_if(groups, [&](const Membership& one) { return !can_join(listener->local, one); });
  if (!groups.empty()) stands_.push_back({std::move(listener), std::move(groups)});
}

Time Announcer::next() const noexcept {
  Time soonest = never;
  for (const auto& stand : stands_) soonest = std::min(soonest, stand.next);
  return soonest;
}

void Announcer::tend(Time now) {
  for (auto& stand : stands_) {
    if (now < stand.next) continue;
    const auto announcement = stand.listener->hosted->service->announcement();
    stand.next = announcement.every > Millis{0} ? now + announcement.every : never;
    if (announcement.every > Millis{0}) send(stand, announcement.text);
  }
}

void Announcer::end() {
  for (const auto& stand : stands_)
    if (const auto announcement = stand.listener->hosted->service->announcement(); announcement.every > Millis{0})
      send(stand, announcement.farewell);
  stands_.clear();
}

void Announcer::send(const Stand& stand, std::string_view text) noexcept {
  const auto& listener = *stand.listener;
  auto& counters = listener.hosted->counters;
  for (const auto& group : stand.groups) {
    const bool is_sent = send_to_group(listener.socket.fd(), listener.local, group, text);
    (is_sent ? counters.announced : counters.failed_announcement).add();
  }
}

}  // namespace superd
