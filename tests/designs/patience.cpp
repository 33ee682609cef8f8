#include "superd/designs/patience.h"

#include <gtest/gtest.h>

#include <vector>

using namespace superd;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t one = 1;

void look_quietly(Patience& patience, int times = Patience::quiet_looks) {
  for (int i = 0; i < times; ++i) patience.note_look(one, false);
}

/// As a station does it: seen to begin, found late at a later look, handed over for `cost`.
void be_late(Patience& patience, Patience::Nanos cost) {
  patience.note_look(one, false);
  patience.note_look(0, true);
  patience.note_hand_over(cost);
}

constexpr Patience::Nanos usual_cost = 30us, deadline = 1ms;

Patience with_most_late() {
  Patience patience(deadline);
  for (int i = 0; i < 10; ++i) be_late(patience, usual_cost);
  return patience;
}

}  // namespace

TEST(Patience, LooksTwiceAsSeldomAfterEachSixteenQuietLooks) {
  Patience patience({});
  std::vector<Patience::Nanos> periods;
  for (int i = 0; i < 8; ++i) {
    periods.push_back(patience.period());
    look_quietly(patience, Patience::quiet_looks - 1);
    EXPECT_EQ(patience.period(), periods.back()) << "not before the sixteenth";
    look_quietly(patience, 1);
  }
  EXPECT_EQ(periods, (std::vector<Patience::Nanos>{50us, 100us, 200us, 400us, 800us, 1600us, 2ms, 2ms}));
}

TEST(Patience, CountsQuietLooksAnewAfterALateOne) {
  Patience patience({});
  look_quietly(patience, Patience::quiet_looks - 1);
  patience.note_look(0, true);
  look_quietly(patience, Patience::quiet_looks - 1);
  EXPECT_EQ(patience.period(), Patience::shortest);
  look_quietly(patience, 1);
  EXPECT_EQ(patience.period(), 2 * Patience::shortest);
}

TEST(Patience, LooksTwiceAsOftenAfterEachHandOver) {
  Patience patience({});
  look_quietly(patience, 100 * Patience::quiet_looks);
  ASSERT_EQ(patience.period(), Patience::longest);
  for (const auto wanted : {1'000'000ns, 500'000ns, 250'000ns, 125'000ns, 62'500ns, 50'000ns, 50'000ns}) {
    be_late(patience, usual_cost);
    EXPECT_EQ(patience.period(), wanted);
  }
}

TEST(Patience, KeepsADeadlineThatWasGiven) {
  Patience patience(7ms);
  look_quietly(patience, 10 * Patience::quiet_looks);
  EXPECT_EQ(patience.period(), 7ms);
  be_late(patience, usual_cost);
  EXPECT_EQ(patience.period(), 7ms);
}

TEST(Patience, HandsOverAtOnceWhenTheShareOfLateOnesExceedsTheCostOfOneInItsPeriod) {
  // 30 us of 1 ms: 3 of 100.
  Patience often(deadline), seldom(deadline);
  for (int i = 0; i < 20; ++i) {
    be_late(often, usual_cost);
    look_quietly(often, 9);
    be_late(seldom, usual_cost);
    look_quietly(seldom, 99);
  }
  EXPECT_TRUE(often.hands_over_at_once()) << often.late_share();
  EXPECT_FALSE(seldom.hands_over_at_once()) << seldom.late_share();
}

TEST(Patience, WaitsWhereAHandOverCostsAsMuchAsWaiting) {
  Patience patience(deadline);
  for (int i = 0; i < 1'000; ++i) {
    be_late(patience, 2 * deadline);
    look_quietly(patience, 1);
  }
  EXPECT_NEAR(patience.late_share(), 0.5, 0.1);
  EXPECT_GT(patience.cost(), deadline);
  EXPECT_FALSE(patience.hands_over_at_once());
}

TEST(Patience, TakesOneOrTwoLateOnesForNoRule) {
  Patience patience(deadline);
  be_late(patience, usual_cost);
  be_late(patience, usual_cost);
  EXPECT_FALSE(patience.hands_over_at_once());
  be_late(patience, usual_cost);
  EXPECT_TRUE(patience.hands_over_at_once());
}

TEST(Patience, WaitsAgainWhenLateOnesBecomeRare) {
  auto patience = with_most_late();
  ASSERT_TRUE(patience.hands_over_at_once());
  patience.note_duration(1us);
  EXPECT_TRUE(patience.hands_over_at_once()) << "one that is short is no rule either";
  for (int i = 0; i < 200; ++i) patience.note_duration(1us);
  EXPECT_FALSE(patience.hands_over_at_once()) << patience.late_share();
}

TEST(Patience, GoesOnHandingOverAtOnceWhileMostAreLong) {
  auto patience = with_most_late();
  for (int i = 0; i < 1'000; ++i) {
    patience.note_duration(2 * deadline);
    ASSERT_TRUE(patience.hands_over_at_once()) << i << ": " << patience.late_share();
  }
}

TEST(Patience, BelievesACheapHandOverSoonerThanADearOne) {
  Patience cheap({}), dear({});
  be_late(cheap, usual_cost - 20us);
  be_late(dear, usual_cost + 20us);
  EXPECT_EQ(cheap.cost(), usual_cost - 5us);
  EXPECT_LT(dear.cost(), usual_cost + 1us);
  EXPECT_GT(dear.cost(), usual_cost);
}
