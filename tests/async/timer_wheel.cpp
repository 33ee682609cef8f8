#include "superd/async/timer_wheel.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

using namespace superd;

namespace {

const Time start = Clock::now();
constexpr Clock::duration nanosecond{1};

/// All that is ripe at `now`, in the order in which it is taken.
std::vector<Timer*> ripe_at(TimerWheel& wheel, Time now) {
  std::vector<Timer*> ripe;
  wheel.ripen(now);
  while (auto* timer = wheel.take_ripe()) ripe.push_back(timer);
  return ripe;
}

}  // namespace

TEST(ATimer, NeverComesUpEarly) {
  for (const auto ahead : {Millis{1}, Millis{63}, Millis{64}, Millis{65}, Millis{4'096}, Millis{1'000'000}}) {
    for (const auto offset : {Clock::duration{}, nanosecond, Clock::duration{500'000}}) {
      TimerWheel wheel(start);
      Timer timer;
      const Time deadline = start + ahead + offset;
      wheel.put(timer, deadline);
      EXPECT_TRUE(ripe_at(wheel, deadline - nanosecond).empty()) << ahead.count() << " ms";
      EXPECT_EQ(ripe_at(wheel, deadline + TimerWheel::tick), std::vector{&timer}) << ahead.count() << " ms";
      EXPECT_FALSE(timer.in_wheel());
    }
  }
}

TEST(ATimer, OfThePastIsRipeAtOnce) {
  TimerWheel wheel(start);
  Timer timer, ancient;
  wheel.put(timer, start - Seconds{1});
  wheel.put(ancient, Time{});
  EXPECT_LE(wheel.next(), start);
  EXPECT_EQ(ripe_at(wheel, start).size(), 2U);
}

TEST(ATimer, ComesUpInTheOrderOfTheDeadlines) {
  TimerWheel wheel(start);
  std::array<Timer, 5> timers;
  const int order[] = {3, 0, 4, 1, 2};
  for (std::size_t i = 0; i < timers.size(); ++i) wheel.put(timers[i], start + Millis{100 * (order[i] + 1)});
  std::vector<int> came;
  for (int ms = 0; ms <= 600; ++ms)
    for (const auto* timer : ripe_at(wheel, start + Millis{ms})) came.push_back(order[timer - timers.data()]);
  EXPECT_EQ(came, (std::vector{0, 1, 2, 3, 4}));
}

TEST(ATimer, ThatWasTakenOutNeverComes) {
  TimerWheel wheel(start);
  Timer gone, stays;
  wheel.put(gone, start + Millis{10});
  wheel.put(stays, start + Millis{10});
  wheel.remove(gone);
  wheel.remove(gone);
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(ripe_at(wheel, start + Millis{20}), std::vector{&stays});
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(ATimer, ThatIsPutAgainMoves) {
  TimerWheel wheel(start);
  Timer timer;
  wheel.put(timer, start + Millis{10});
  wheel.put(timer, start + Millis{50});
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_TRUE(ripe_at(wheel, start + Millis{49}).empty());
  wheel.put(timer, start + Millis{200});
  wheel.put(timer, start + Millis{60});
  EXPECT_EQ(ripe_at(wheel, start + Millis{60}), std::vector{&timer});
}

TEST(ATimer, PutByALaterDeadlineStaysWhereItIs) {
  TimerWheel wheel(start);
  Timer timer;
  wheel.put_by(timer, start + Millis{10});
  wheel.put_by(timer, start + Millis{5'000});
  EXPECT_EQ(ripe_at(wheel, start + Millis{10}), std::vector{&timer}) << "early, for its owner to put it in again";
  wheel.put_by(timer, start + Millis{5'000});
  wheel.put_by(timer, start + Millis{30});
  EXPECT_EQ(ripe_at(wheel, start + Millis{30}), std::vector{&timer}) << "and a nearer one is never missed";
}

TEST(ATimer, FarAwayIsNotForgotten) {
  TimerWheel wheel(start);
  std::array<Timer, 6> timers;
  constexpr std::array<std::int64_t, 6> days{1, 30, 365, 3'650, 36'500, 50'000};
  for (std::size_t i = 0; i < timers.size(); ++i) wheel.put(timers[i], start + std::chrono::days{days[i]});
  for (std::size_t i = 0; i < timers.size(); ++i) {
    const Time deadline = start + std::chrono::days{days[i]};
    EXPECT_TRUE(ripe_at(wheel, deadline - nanosecond).empty()) << days[i];
    EXPECT_LE(wheel.next(), deadline);
    EXPECT_EQ(ripe_at(wheel, deadline), std::vector{&timers[i]}) << days[i];
  }
}

TEST(ATimer, ForNeverIsInTheWheelAndCanBeTakenOut) {
  TimerWheel wheel(start);
  Timer timer;
  wheel.put(timer, never);
  EXPECT_GT(wheel.next(), start + std::chrono::days{365});
  EXPECT_TRUE(ripe_at(wheel, start + std::chrono::days{36'500}).empty());
  wheel.ripen_all();
  EXPECT_EQ(wheel.take_ripe(), &timer);
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(AWheel, TellsWhenItHasToBeLookedAt) {
  TimerWheel wheel(start);
  EXPECT_EQ(wheel.next(), never);
  Timer near, far;
  wheel.put(far, start + Millis{100'000});
  wheel.put(near, start + Millis{7});
  EXPECT_EQ(wheel.next(), start + Millis{7});
  wheel.remove(near);
  // Rather too early, when timers have to move to a finer level, but in few steps.
  int looks = 0;
  for (Time next; (next = wheel.next()) < start + Millis{100'000} && looks < 10; ++looks)
    EXPECT_TRUE(ripe_at(wheel, next).empty());
  EXPECT_LT(looks, 4);
  EXPECT_EQ(ripe_at(wheel, wheel.next()), std::vector{&far});
  EXPECT_EQ(wheel.next(), never);
}

// An owner that puts its timer in again and again must not hold up the loop.
TEST(AWheel, IsRipeForWhatWasInItWhenItRipened) {
  TimerWheel wheel(start);
  Timer restless;
  wheel.put(restless, start);
  wheel.ripen(start + Millis{5});
  int taken = 0;
  while (auto* timer = wheel.take_ripe()) {
    ASSERT_LT(++taken, 10);
    wheel.put(*timer, start);
  }
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(wheel.size(), 1U);
  EXPECT_EQ(ripe_at(wheel, start + Millis{5}).size(), 1U);
}

TEST(AWheel, ForgetsWhatIsTakenOutWhileItIsRipe) {
  TimerWheel wheel(start);
  std::array<Timer, 3> timers;
  for (auto& timer : timers) wheel.put(timer, start + Millis{1});
  wheel.ripen(start + Millis{1});
  auto* first = wheel.take_ripe();
  ASSERT_NE(first, nullptr);
  for (auto& timer : timers)
    if (&timer != first && timer.in_wheel()) {
      wheel.remove(timer);
      break;
    }
  EXPECT_NE(wheel.take_ripe(), nullptr);
  EXPECT_EQ(wheel.take_ripe(), nullptr);
}

TEST(AWheel, RipensAllAtOnce) {
  TimerWheel wheel(start);
  std::array<Timer, 200> timers;
  for (std::size_t i = 0; i < timers.size(); ++i) wheel.put(timers[i], start + Millis{1} * (i * i * i));
  wheel.ripen(start + Millis{30});
  wheel.ripen_all();
  std::size_t taken = 0;
  while (wheel.take_ripe()) ++taken;
  EXPECT_EQ(taken, timers.size());
  Timer later;
  wheel.put(later, start + Millis{50});
  EXPECT_EQ(ripe_at(wheel, start + Millis{50}), std::vector{&later});
}
