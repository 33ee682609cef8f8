#include "superd/async/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace superd {

namespace {
constexpr std::uint64_t no_tick = ~std::uint64_t{0};
}

void TimerWheel::put(Timer& timer, Time deadline) noexcept {
  remove(timer);
  // Rounded up: a timer may be late by a tick, never early. Clamped to 139 years, so that no sum overflows.
  constexpr auto horizon = (std::uint64_t{1} << 44) - 1;
  static_assert(horizon < std::uint64_t{1} << (bits * levels));
  const auto ahead = deadline - start_;
  const auto ticks = ahead.count() <= 0 ? 0 : static_cast<std::uint64_t>((ahead - Clock::duration{1}) / tick) + 1;
  timer.due = std::min(ticks, horizon);
  link(timer);
  ++size_;
}

void TimerWheel::remove(Timer& timer) noexcept {
  if (!timer.in_wheel()) return;
  unlink(timer);
  --size_;
}

// The level is that of the highest bit in which the due tick differs from now, so that all timers of a level lie ahead
// of now within the same slot of the level above.
void TimerWheel::link(Timer& timer) noexcept {
  if (timer.due <= now_) return push(timer, due_);
  const auto level = static_cast<std::size_t>((63 - std::countl_zero(timer.due ^ now_)) / bits);
  const std::size_t slot = (timer.due >> (bits * level)) % slots;
  used_[level] |= std::uint64_t{1} << slot;
  push(timer, wheel_[level][slot]);
}

void TimerWheel::push(Timer& timer, Timer*& head) noexcept {
  timer.next_timer = head;
  timer.to_this = &head;
  if (head) head->to_this = &timer.next_timer;
  head = &timer;
}

void TimerWheel::unlink(Timer& timer) noexcept {
  *timer.to_this = timer.next_timer;
  if (timer.next_timer) timer.next_timer->to_this = timer.to_this;
  const auto place =
      (std::bit_cast<std::uintptr_t>(timer.to_this) - std::bit_cast<std::uintptr_t>(&wheel_)) / sizeof(Timer*);
  if (!timer.next_timer && place < levels * slots) used_[place / slots] &= ~(std::uint64_t{1} << place % slots);
  timer.next_timer = nullptr;
  timer.to_this = nullptr;
}

void TimerWheel::ripen(Time now) noexcept {
  const auto passed = now - start_;
  advance(passed.count() <= 0 ? 0 : static_cast<std::uint64_t>(passed / tick));
  ripen_list(due_);
}

void TimerWheel::ripen_all() noexcept {
  for (auto& level : wheel_)
    for (auto& head : level) ripen_list(head);
  ripen_list(due_);
}

void TimerWheel::ripen_list(Timer*& head) noexcept {
  while (Timer* timer = head) {
    unlink(*timer);
    push(*timer, ripe_);
  }
}

Timer* TimerWheel::take_ripe() noexcept {
  Timer* timer = ripe_;
  if (timer) remove(*timer);
  return timer;
}

// Goes from one used slot to the next until the tick is reached.
void TimerWheel::advance(std::uint64_t target) noexcept {
  while (now_ < target) {
    const auto event = next_event();
    if (event.tick > target) {
      now_ = target;
      return;
    }
    now_ = event.tick;
    auto& head = wheel_[static_cast<std::size_t>(event.level)][event.slot];
    while (Timer* timer = head) {
      unlink(*timer);
      link(*timer);
    }
  }
}

// The lowest level that has a used slot has the nearest one.
TimerWheel::Event TimerWheel::next_event() const noexcept {
  for (int level = 0; level < levels; ++level) {
    const int shift = bits * level;
    const auto here = (now_ >> shift) % slots;
    const auto ahead = used_[static_cast<std::size_t>(level)] & ~((std::uint64_t{2} << here) - 1);
    if (!ahead) continue;
    const auto slot = static_cast<std::size_t>(std::countr_zero(ahead));
    const auto group = now_ >> (shift + bits) << (shift + bits);
    return {group | (std::uint64_t{slot} << shift), level, slot};
  }
  return {no_tick, 0, 0};
}

void TimerWheel::put_by(Timer& timer, Time deadline) noexcept {
  if (timer.in_wheel() && start_ + static_cast<std::int64_t>(timer.due) * tick <= deadline) return;
  put(timer, deadline);
}

Time TimerWheel::next() const noexcept {
  if (due_ || ripe_) return start_;
  const auto tick_ahead = next_event().tick;
  return tick_ahead == no_tick ? never : start_ + static_cast<std::int64_t>(tick_ahead) * tick;
}

}  // namespace superd
