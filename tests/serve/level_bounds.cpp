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

TEST(ALevel, HasNoMoreOfAPrefixThanIsAllowed) {
  Level level(SeatBounds{.level = 20, .per_client = 2, .per_prefix = 3});
  const auto from = [](std::string_view text) { return ClientKey::of(endpoint(text)); };
  std::vector<Seat> seats;
  for (const auto* text : {"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"}) seats.push_back(*level.take(from(text), -1));
  EXPECT_EQ(level.take(from("192.0.2.1:3"), -1).error(), Level::Refusal::client_has_enough);
  EXPECT_EQ(level.take(from("192.0.2.3:1"), -1).error(), Level::Refusal::prefix_has_enough);
  EXPECT_TRUE(level.take(from("192.0.3.3:1"), -1));
  // The first address of the prefix is a client as the others are.
  EXPECT_EQ(level.take(from("192.0.2.0:1"), -1).error(), Level::Refusal::prefix_has_enough);
  seats.pop_back();
  EXPECT_TRUE(level.take(from("192.0.2.3:1"), -1));
  EXPECT_EQ(level.count(), 2);
}

TEST(ALevel, CountsUsersOfUnixSocketsInNoPrefix) {
  Level level(SeatBounds{.level = 20, .per_client = 2, .per_prefix = 1});
  std::vector<Seat> seats;
  for (int user = 0; user < 10; ++user) seats.push_back(*level.take(client(user), -1));
  EXPECT_EQ(level.count(), 10);
}

TEST(AnOverallLevel, BoundsAllThatShareIt) {
  const auto overall = std::make_shared<OverallLevel>(3);
  Level one(10, 10), other(10, 10);
  one.share(overall);
  other.share(overall);
  std::vector<Seat> seats;
  seats.push_back(*one.take(client(1), -1));
  seats.push_back(*one.take(client(1), -1));
  EXPECT_EQ(other.vacant(), 1);
  seats.push_back(*other.take());
  EXPECT_EQ(other.take(client(1), -1).error(), Level::Refusal::full);
  EXPECT_EQ(one.take().error(), Level::Refusal::full);
  EXPECT_EQ(one.vacant(), 0);
  seats.erase(seats.begin());
  EXPECT_TRUE(other.take(client(1), -1));
  seats.clear();
  EXPECT_EQ(overall->count(), 0);
}

TEST(AnOverallLevel, IsNotTakenFromByWhoIsRefusedElsewhere) {
  const auto overall = std::make_shared<OverallLevel>(3);
  Level level(1, 1);
  level.share(overall);
  const auto seat = level.take(client(1), -1);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(level.take(client(2), -1));
  EXPECT_EQ(overall->count(), 1);
}

TEST(AnOverallLevel, IsHealedOfWhatADeadProcessHad) {
  OverallLevel overall(10);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(overall.take());
  // Two of them have no seat; a third is just being taken, and has one at the next look.
  for (const int sum : {2, 3, 3}) {
    EXPECT_EQ(overall.count(), 5);
    overall.heal(sum);
  }
  EXPECT_EQ(overall.count(), 3);
  for (int i = 0; i < 5; ++i) overall.heal(3);
  EXPECT_EQ(overall.count(), 3);
}
