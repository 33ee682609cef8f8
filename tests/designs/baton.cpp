#include "superd/designs/baton.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

using namespace superd;

TEST(ABaton, IsEndedByWhoBeganTheTurn) {
  Baton baton;
  EXPECT_FALSE(Baton::is_running(baton.look()));
  const auto turn = baton.begin();
  EXPECT_TRUE(Baton::is_running(turn));
  EXPECT_EQ(baton.look(), turn);
  EXPECT_TRUE(baton.end(turn));
  EXPECT_FALSE(Baton::is_running(baton.look()));
}

TEST(ABaton, ThatWasTakenIsNotEndedAnyMore) {
  Baton baton;
  const auto turn = baton.begin();
  EXPECT_TRUE(baton.take(baton.look()));
  EXPECT_FALSE(baton.end(turn));
  EXPECT_FALSE(Baton::is_running(baton.look())) << "the new holder is in no conversation yet";
}

TEST(ABaton, IsTakenByOneOnly) {
  Baton baton;
  const auto turn = baton.begin();
  EXPECT_TRUE(baton.take(turn));
  EXPECT_FALSE(baton.take(turn));
}

TEST(ABaton, IsNotTakenInATurnThatEnded) {
  Baton baton;
  const auto seen = baton.begin();
  ASSERT_TRUE(baton.end(seen));
  EXPECT_FALSE(baton.take(seen));
  const auto next = baton.begin();
  EXPECT_NE(next, seen);
  EXPECT_FALSE(baton.take(seen)) << "another one runs";
  EXPECT_TRUE(baton.end(next));
}

namespace {

/// Threads that take the baton from each other. What the holder has is written without any other order than the baton's,
/// so that two holders at once lose a step, and are a race.
class Struggle {
 public:
  void take_part(int& own_steps, int& own_catches, bool begins) {
    bool holds = begins;
    while (!done_) {
      if (!holds) {
        const auto turn = baton_.look();
        holds = Baton::is_running(turn) && baton_.take(turn);
        if (!holds) continue;
        ++own_catches;
      }
      done_ = ++steps_ >= enough;
      ++own_steps;
      const auto turn = baton_.begin();
      // Now and then long enough to be caught.
      if (own_steps % 16 == 0) std::this_thread::yield();
      holds = baton_.end(turn);
    }
  }
  int steps() const { return steps_; }

  static constexpr int enough = 100'000;

 private:
  Baton baton_;
  int steps_ = 0;
  std::atomic<bool> done_{false};
};

}  // namespace

TEST(ABaton, HasOneHolderAtATime) {
  constexpr int threads = 4;
  Struggle struggle;
  std::vector<int> steps(threads), catches(threads);
  {
    std::vector<std::jthread> all;
    for (std::size_t i = 0; i < threads; ++i)
      all.emplace_back([&, i] { struggle.take_part(steps[i], catches[i], i == 0); });
  }
  EXPECT_EQ(std::accumulate(steps.begin(), steps.end(), 0), struggle.steps());
  EXPECT_GT(std::accumulate(catches.begin(), catches.end(), 0), 0) << "nobody was caught: this has tested nothing";
}
