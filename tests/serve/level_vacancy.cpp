#include "superd/engines/blocking.h"
#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Somebody who waits for a place, as a door does.
struct Asker {
  Blocking waiter;
  Operation operation;

  bool asks(Level& level) { return level.ask_for_vacancy(waiter, operation); }

  Outcome waits(Time until = Clock::now() + Millis(patience_ms)) {
    waiter.refresh_now();
    operation.kind = Kind::signal;
    operation.deadline = until;
    waiter.wait(operation);
    return operation.outcome;
  }
  bool was_told() { return waits(Clock::now()) == Outcome::done; }
};

}  // namespace

TEST(AskingForAVacancy, IsNotNeededWhenThereIsOne) {
  Level level(1, 1);
  Asker asker;
  EXPECT_FALSE(asker.asks(level));
  auto seat = level.take();
  seat->leave();
  EXPECT_FALSE(asker.was_told());
}

TEST(AskingForAVacancy, IsAnsweredWhenASeatIsGivenBack) {
  Level level(1, 1);
  Asker asker;
  auto seat = level.take();
  ASSERT_TRUE(asker.asks(level));
  EXPECT_FALSE(asker.was_told());
  seat->leave();
  EXPECT_EQ(asker.waits(), Outcome::done);
}

TEST(AskingForAVacancy, IsAnsweredInTurnOneForEachSeat) {
  Level level(2, 2);
  Asker first, second, third;
  auto one = level.take(), other = level.take();
  ASSERT_TRUE(first.asks(level) && second.asks(level) && third.asks(level));
  one->leave();
  EXPECT_TRUE(first.was_told());
  EXPECT_FALSE(second.was_told());
  other->leave();
  EXPECT_TRUE(second.was_told());
  EXPECT_FALSE(third.was_told());
  level.withdraw(third.operation);
}

TEST(WhoWithdraws, IsNotToldAnyMore) {
  Level level(1, 1);
  Asker asker;
  auto seat = level.take();
  ASSERT_TRUE(asker.asks(level));
  level.withdraw(asker.operation);
  seat->leave();
  EXPECT_FALSE(asker.was_told());
}

TEST(WhoWithdraws, PassesOnWhatItWasTold) {
  Level level(1, 1);
  Asker first, second;
  auto seat = level.take();
  ASSERT_TRUE(first.asks(level) && second.asks(level));
  seat->leave();
  EXPECT_TRUE(first.was_told());
  level.withdraw(first.operation);
  EXPECT_TRUE(second.was_told());
}

TEST(AskingForAVacancy, LosesNoWakeUpAmongManyAskers) {
  constexpr int threads = 8, rounds = 2'000;
  Level level(2, 2);
  std::atomic<int> lost{0}, taken{0};
  {
    std::vector<std::jthread> hammering;
    for (int t = 0; t < threads; ++t)
      hammering.emplace_back([&, t] {
        Asker asker;
        for (int i = 0; i < rounds && lost == 0; ++i) {
          auto seat = level.take();
          while (!seat && lost == 0) {
            if (asker.asks(level) && asker.waits() != Outcome::done) ++lost;
            // Some change their mind after they asked or were told.
            if ((i + t) % 7 == 0) level.withdraw(asker.operation);
            seat = level.take();
          }
          ++taken;
          std::this_thread::yield();
        }
        level.withdraw(asker.operation);
      });
  }
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(taken, threads * rounds);
  EXPECT_EQ(level.count(), 0);
}

TEST(AskingForAVacancy, LosesNoWakeUpToAClientThatIsRefusedItsShare) {
  // For a moment, who is refused because of per_client counts like a guest.
  Level level(2, 1);
  const auto greedy = level.take(client(1), -1);
  std::atomic<bool> done{false}, lost{false};
  std::jthread patient([&] {
    Asker asker;
    int asked = 0;
    // Many tries, for on a busy machine the two hardly meet; few that ask are enough.
    for (int tries = 0; tries < 2'000'000 && asked < 200 && !lost; ++tries) {
      const auto seat = level.take(client(2), -1);
      if (seat || !asker.asks(level)) continue;
      ++asked;
      lost = asker.waits() != Outcome::done;
    }
    level.withdraw(asker.operation);
    done = true;
  });
  std::vector<std::jthread> refused;
  for (int i = 0; i < 3; ++i)
    refused.emplace_back([&] {
      while (!done) EXPECT_FALSE(level.take(client(1), -1).has_value());
    });
  refused.clear();
  EXPECT_FALSE(lost);
}
