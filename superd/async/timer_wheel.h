#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "superd/base/clock.h"

namespace superd {

/// A place in a TimerWheel; whoever shall be woken derives from it. Not movable while it is in a wheel.
struct Timer {
  Timer* next_timer = nullptr;
  Timer** to_this = nullptr;  ///< whatever points here; null: in no wheel
  std::uint64_t due = 0;      ///< ticks since the wheel's start

  [[nodiscard]] bool in_wheel() const noexcept { return to_this != nullptr; }
};

/// Deadlines in order, to a quarter of a millisecond: put and remove are O(1), the next one is found by a few bit scans,
/// and a timer moves at most once a level on its way (a hierarchical wheel, Varghese and Lauck 1987, scheme 7). It never
/// fires early, and at most one tick late of the turn in which it is looked at. One thread.
class TimerWheel {
 public:
  /// A sleep of 20 ms that takes 21 costs who sleeps all the time a twentieth of its rate.
  static constexpr std::chrono::microseconds tick{250};

  explicit TimerWheel(Time start) noexcept : start_(start) {}

  /// A timer that is already in moves to its new place.
  void put(Timer&, Time deadline) noexcept;
  /// Puts it in, unless it is in already and comes up no later: moving a deadline further away then costs nothing, and
  /// the owner puts the timer in again when it comes up early.
  void put_by(Timer&, Time deadline) noexcept;
  /// Nothing when it is not in.
  void remove(Timer&) noexcept;

  /// Goes on to `now`: what is due by then is ripe.
  void ripen(Time now) noexcept;
  /// Makes every timer ripe, due or not.
  void ripen_all() noexcept;
  /// Takes out one ripe timer; null when none is left. What is put in meanwhile is not ripe before the next ripen(), so
  /// that an owner who puts its timer in again and again cannot hold up the loop.
  Timer* take_ripe() noexcept;

  /// When ripen() has to be called at the latest; `never` when the wheel is empty. Not later than the first deadline.
  [[nodiscard]] Time next() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr int bits = 6, slots = 1 << bits, levels = 8;

  void link(Timer&) noexcept;
  static void push(Timer&, Timer*& head) noexcept;
  void unlink(Timer&) noexcept;
  void advance(std::uint64_t target) noexcept;
  void ripen_list(Timer*& head) noexcept;

  struct Event {
    std::uint64_t tick;
    int level;
    std::size_t slot;
  };
  [[nodiscard]] Event next_event() const noexcept;

  Time start_;
  std::uint64_t now_ = 0;  // ticks that have been looked at
  std::size_t size_ = 0;
  std::array<std::uint64_t, levels> used_{};
  std::array<std::array<Timer*, slots>, levels> wheel_{};
  Timer* due_ = nullptr;
  Timer* ripe_ = nullptr;
};

}  // namespace superd
