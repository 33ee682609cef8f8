#include <algorithm>

#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

TEST(ALevel, IsExactWhileManyThreadsTakeAndGiveBack) {
  constexpr int bound = 5, threads = 8, rounds = 5'000;
  Level level(bound, bound);
  std::atomic<int> inside{0}, most{0}, taken{0};
  {
    std::vector<std::jthread> hammering;
    for (int t = 0; t < threads; ++t)
      hammering.emplace_back([&, t] {
        for (int i = 0; i < rounds; ++i) {
          auto seat = i % 2 ? level.take() : level.take(client(t), -1);
          if (!seat) continue;
          const int now = ++inside;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          ++taken;
          std::this_thread::yield();
          --inside;
        }
      });
  }
  EXPECT_LE(most, bound);
  EXPECT_GE(taken, bound);
  EXPECT_EQ(level.count(), 0);
  EXPECT_EQ(level.vacant(), bound);
  EXPECT_LE(level.peak(), bound);
  EXPECT_GE(level.peak(), most);
}

TEST(ALevel, RefusesWhoComesWhenItIsReached) {
  Level level(2, 2);
  const auto first = level.take(client(1), -1), second = level.take();
  EXPECT_EQ(level.take().error(), Level::Refusal::full);
  EXPECT_EQ(level.take(client(2), -1).error(), Level::Refusal::full);
  EXPECT_EQ(level.count(), 2);
}

TEST(ALevel, RefusesAClientThatHasItsShareAndNobodyElse) {
  Level level(10, 2);
  auto first = level.take(client(1), -1), second = level.take(client(1), -1);
  EXPECT_EQ(level.take(client(1), -1).error(), Level::Refusal::client_has_enough);
  EXPECT_EQ(level.count(), 2);
  EXPECT_TRUE(level.take(client(2), -1).has_value());
  first->leave();
  EXPECT_TRUE(level.take(client(1), -1).has_value());
}

TEST(ALevel, HoldsPerClientExactlyUnderManyThreads) {
  constexpr int share = 3;
  Level level(1'000, share);
  std::atomic<int> inside{0}, most{0};
  {
    std::vector<std::jthread> hammering;
    for (int t = 0; t < 8; ++t)
      hammering.emplace_back([&] {
        for (int i = 0; i < 3'000; ++i) {
          auto seat = level.take(client(1), -1);
          if (!seat) continue;
          const int now = ++inside;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          std::this_thread::yield();
          --inside;
        }
      });
  }
  EXPECT_LE(most, share);
  EXPECT_EQ(level.count(), 0);
}

TEST(ALevel, ChargesAWaitingDatagramToItsClientButNeverRefusesIt) {
  Level level(10, 1);
  const auto connection = level.take(client(1), -1);
  auto datagram = level.take();
  level.charge(*datagram, client(1));
  EXPECT_EQ(level.count(), 2);
  EXPECT_EQ(level.take(client(1), -1).error(), Level::Refusal::client_has_enough);
  datagram->leave();
  EXPECT_EQ(level.take(client(1), -1).error(), Level::Refusal::client_has_enough);
}

TEST(ALevel, ChargesASeatOnce) {
  Level level(10, 2);
  auto seat = level.take(client(1), -1);
  level.charge(*seat, client(1));
  EXPECT_TRUE(level.take(client(1), -1).has_value());
}

TEST(ALevel, RemembersItsPeak) {
  Level level(10, 10);
  {
    const auto first = level.take(), second = level.take(), third = level.take();
    EXPECT_EQ(level.peak(), 3);
  }
  const auto alone = level.take();
  EXPECT_EQ(level.peak(), 3);
}

TEST(ASeat, IsGivenBackOnceHoweverItIsMoved) {
  Level level(2, 2);
  {
    Seat seat = std::move(*level.take(client(1), -1));
    EXPECT_TRUE(seat.is_taken());
    Seat other = std::move(seat);
    EXPECT_FALSE(seat.is_taken());  // NOLINT(bugprone-use-after-move): that it says so is part of its interface
    seat = std::move(*level.take(client(2), -1));
    EXPECT_EQ(level.count(), 2);
    other = std::move(seat);
    EXPECT_EQ(level.count(), 1);
    other.leave();
    other.leave();
    EXPECT_EQ(level.count(), 0);
  }
  EXPECT_EQ(level.count(), 0);
}

TEST(ASeat, MayBeGivenBackByAnotherThread) {
  Level level(1, 1);
  std::jthread([seat = std::move(*level.take(client(1), -1))]() mutable { seat.leave(); }).join();
  EXPECT_EQ(level.count(), 0);
  EXPECT_TRUE(level.take(client(1), -1).has_value());
}
