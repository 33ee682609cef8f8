#include "superd/serve/admission.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "superd/base/load_average.h"

namespace superd {

namespace {

constexpr Clock::duration refresh_interval = Seconds(1);

std::time_t wall_time() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec;
}

using Kind = Admission::Answer::Kind;
constexpr Admission::Answer yes{};
constexpr Admission::Answer no(Refusal why) noexcept { return {Kind::no, why, {}}; }

}  // namespace

bool Admission::Texts::has_files() const noexcept {
  return (access && access->has_files()) || accepted->has_file() || refused->has_file();
}

Admission::Admission(const LimitsInForce& limits, RateTable& rates) noexcept
    : limits_(limits), rates_(rates), load_(load_average), wall_(wall_time) {
  all_.push_back(std::make_unique<Texts>());
  all_.back()->accepted = std::make_unique<Banner>();
  all_.back()->refused = std::make_unique<Banner>();
  in_force_.store(all_.back().get(), std::memory_order_release);
}

void Admission::set_world(LoadNow load, WallTime wall) noexcept {
  load_ = load;
  wall_ = wall;
}

Result<std::unique_ptr<Admission::Texts>> Admission::read(const Limits& wanted, const KnownSets* known) {
  auto texts = std::make_unique<Texts>();
  texts->allow = wanted.allow;
  texts->deny = wanted.deny;
  texts->banner = wanted.banner;
  texts->banner_refused = wanted.banner_refused;
  if (!wanted.allow.empty() || !wanted.deny.empty()) {
    auto access = AccessList::make(wanted.allow, wanted.deny, known);
    if (!access) return std::unexpected(access.error());
    texts->access = std::move(*access);
  }
  for (auto [banner, text] : {
           std::pair(&texts->accepted, &wanted.banner), {&texts->refused, &wanted.banner_refused}
  }) {
    auto made = Banner::make(*text, known != nullptr);
    if (!made) return std::unexpected(made.error());
    *banner = std::move(*made);
  }
  return texts;
}

Result<> Admission::change(const Limits& wanted, const KnownSets* known) {
  const auto& now = *in_force();
  if (now.allow == wanted.allow && now.deny == wanted.deny && now.banner == wanted.banner &&
      now.banner_refused == wanted.banner_refused)
    return {};
  auto texts = read(wanted, known);
  if (!texts) return std::unexpected(texts.error());
  all_.push_back(std::move(*texts));
  in_force_.store(all_.back().get(), std::memory_order_release);
  return {};
}

void Admission::refresh() noexcept {
  const auto& texts = *in_force();
  if (texts.access) texts.access->refresh();
  texts.accepted->refresh();
  texts.refused->refresh();
}

void Admission::refresh_if_due(Time now) noexcept {
  auto due = refresh_due_.load(std::memory_order_relaxed);
  const auto at = now.time_since_epoch();
  if (at.count() < due || refreshed_by_.load(std::memory_order_relaxed) == getpid()) return;
  if (refresh_due_.compare_exchange_strong(due, (at + refresh_interval).count(), std::memory_order_relaxed)) refresh();
}

bool Admission::has_access(const Endpoint& from, Time now) noexcept {
  const auto& texts = *in_force();
  if (texts.has_files()) refresh_if_due(now);
  // A unix socket's file has rights of its own.
  return !texts.access || from.is_unix() || texts.access->admits(AddressBits::of(from));
}

// The answer is the same for a whole minute, whatever the zone: no zone that is in use is off by seconds.
bool Admission::is_open_now() noexcept {
  const auto& limits = *limits_;
  if (limits.hours.empty()) return true;
  const std::time_t now = wall_();
  const auto minute = static_cast<std::uint64_t>(now / 60) & 0x7fff'ffff;
  const auto which = reinterpret_cast<std::uintptr_t>(&limits) / alignof(Limits) << 32;
  const auto known = looked_at_.load(std::memory_order_relaxed);
  if (known >> 1 == (which | minute << 1) >> 1) return known & 1;
  // The zone may have been changed meanwhile.
  tzset();
  std::tm local{};
  localtime_r(&now, &local);
  const bool is_open = any_hold(limits.hours, local);
  looked_at_.store(which | minute << 1 | (is_open ? 1 : 0), std::memory_order_relaxed);
  return is_open;
}

Admission::Answer Admission::admit(const Endpoint& from, Time now) noexcept {
  if (!has_access(from, now)) return no(Refusal::access);
  if (!is_open_now()) return no(Refusal::hours);
  // Where they may wait, the door waits before it takes anybody in.
  if (limits_->when_full == WhenFull::refuse && is_overloaded(now)) return no(Refusal::load);
  return yes;
}

Admission::Answer Admission::admit(const Endpoint& from, const ClientKey& client, Time now,
                                   Clock::duration patience) noexcept {
  if (const auto answer = admit(from, now); answer.kind != Kind::yes) return answer;
  const auto& limits = *limits_;
  if (limits.trusts(from)) return yes;
  if (limits.over_rate == OverRate::refuse) patience = {};
  // First the client's own: what it is refused is not taken from its neighbours.
  const auto own = rates_.take(client, now, limits.client_rate, patience);
  if (!own) return no(Refusal::rate);
  auto wait = *own;
  if (const auto prefix = client.prefix(); prefix != client) {
    const auto shared = rates_.take(prefix, now, limits.prefix_rate, patience);
    if (!shared) return no(Refusal::rate);
    wait = std::max(wait, *shared);
  }
  if (wait == Clock::duration::zero()) return yes;
  return {Kind::later, Refusal::rate, wait};
}

}  // namespace superd
