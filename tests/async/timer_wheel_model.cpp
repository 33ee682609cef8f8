#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "superd/async/timer_wheel.h"

using namespace superd;

namespace {

/// The same promises kept in the dullest way: every timer with its tick, sorted.
class Model {
 public:
  explicit Model(Time start) : start_(start) {}

  void put(std::size_t timer, Time deadline) {
    remove(timer);
    place_[timer] = ticks_.emplace(tick_of(deadline), timer);
  }
  void remove(std::size_t timer) {
    if (const auto found = place_.find(timer); found != place_.end()) {
      ticks_.erase(found->second);
      place_.erase(found);
    }
  }
  std::vector<std::size_t> ripen(Time now) {
    std::vector<std::size_t> ripe;
    const auto last = (now - start_) / TimerWheel::tick;
    while (!ticks_.empty() && ticks_.begin()->first <= last) {
      ripe.push_back(ticks_.begin()->second);
      remove(ripe.back());
    }
    return ripe;
  }
  [[nodiscard]] Time next() const { return ticks_.empty() ? never : start_ + ticks_.begin()->first * TimerWheel::tick; }
  [[nodiscard]] std::size_t size() const { return ticks_.size(); }

 private:
  [[nodiscard]] std::int64_t tick_of(Time deadline) const {
    const auto ahead = std::max(deadline - start_, Clock::duration{});
    return (ahead + Clock::duration{TimerWheel::tick} - Clock::duration{1}) / TimerWheel::tick;
  }

  Time start_;
  std::multimap<std::int64_t, std::size_t> ticks_;
  std::map<std::size_t, std::multimap<std::int64_t, std::size_t>::iterator> place_;
};

/// A duration from nanoseconds to months, all orders of magnitude alike.
Clock::duration any_duration(std::mt19937_64& random, int bits) {
  const auto wide = std::uniform_int_distribution<int>{0, bits}(random);
  return Clock::duration{static_cast<std::int64_t>(random() >> (63 - wide))};
}

/// The same steps for both; they must agree after each.
void compare(std::uint64_t seed, int steps) {
  std::mt19937_64 random(seed);
  const Time start = Clock::now();
  Time now = start;
  std::vector<Timer> timers(500);
  TimerWheel wheel(start);
  Model model(start);
  for (int step = 0; step < steps; ++step) {
    const auto chosen = random() % timers.size();
    switch (random() % 8) {
      case 0:
        wheel.remove(timers[chosen]);
        model.remove(chosen);
        break;
      case 1: {
        now += any_duration(random, 45);
        auto expected = model.ripen(now);
        std::vector<std::size_t> ripe;
        wheel.ripen(now);
        while (auto* timer = wheel.take_ripe()) ripe.push_back(static_cast<std::size_t>(timer - timers.data()));
        std::ranges::sort(expected);
        std::ranges::sort(ripe);
        ASSERT_EQ(ripe, expected) << "seed " << seed << " step " << step;
        break;
      }
      default: {
        const Time deadline = now + any_duration(random, 52) - Millis{1};
        wheel.put(timers[chosen], deadline);
        model.put(chosen, deadline);
      }
    }
    ASSERT_EQ(wheel.size(), model.size()) << "seed " << seed << " step " << step;
    ASSERT_LE(wheel.next(), std::max(model.next(), now)) << "seed " << seed << " step " << step;
    ASSERT_EQ(wheel.next() == never, model.size() == 0);
  }
}

}  // namespace

TEST(AWheel, AgreesWithASortedListOverMillionsOfSteps) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int steps = 50'000;
#else
  constexpr int steps = 500'000;
#endif
  for (std::uint64_t seed = 1; seed <= 5; ++seed) compare(seed, steps);
}

// A loop that looks only when it is told to: it must not look much more often than there are deadlines.
TEST(AWheel, NeedsFewLooks) {
  std::mt19937_64 random(7);
  const Time start = Clock::now();
  TimerWheel wheel(start);
  std::vector<Timer> timers(1'000);
  for (auto& timer : timers) wheel.put(timer, start + Millis{1} * (random() % 3'600'000));
  std::size_t looks = 0, taken = 0;
  for (; wheel.next() != never; ++looks) {
    wheel.ripen(wheel.next());
    while (wheel.take_ripe()) ++taken;
  }
  EXPECT_EQ(taken, timers.size());
  EXPECT_LT(looks, 4 * timers.size());
}
