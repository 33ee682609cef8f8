#include <chrono>
#include <random>
#include <thread>

#include "superd/base/shared_memory.h"
#include "tests/base/forked_process.h"
#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// What processes tell the test.
struct Told {
  std::atomic<int> inside, most, taken;
  std::atomic<bool> is_seated, may_begin;

  // So that they meet: each alone would be done before the next is forked.
  void wait_for_all() const {
    while (!may_begin) std::this_thread::yield();
  }
  void enter() {
    const int now = ++inside;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    ++taken;
  }
};

class ALevelOfProcesses : public ::testing::Test {
 protected:
  SharedMemory memory_{"test", sizeof(Told)};
  Told& told_ = memory_.as<Told>();

  /// All seats of all clients are free: so many as the bound says can be had by each of them.
  static void expect_all_free(Level& level, int clients) {
    EXPECT_EQ(level.count(), 0);
    for (int number = 0; number < clients; ++number) {
      std::vector<Seat> seats;
      for (int i = 0; i < level.per_client(); ++i) {
        auto seat = level.take(client(number), -1);
        ASSERT_TRUE(seat.has_value()) << number;
        seats.push_back(std::move(*seat));
      }
      EXPECT_FALSE(level.take(client(number), -1).has_value());
    }
    EXPECT_EQ(level.count(), 0);
  }
};

}  // namespace

TEST_F(ALevelOfProcesses, IsExactWhileTheyHammerIt) {
  constexpr int bound = 5, share = 3, processes = 4, rounds = 3'000;
  Level level(bound, share);
  {
    std::vector<std::unique_ptr<Process>> hammering;
    for (int p = 1; p <= processes; ++p)
      hammering.push_back(std::make_unique<Process>([&, p] {
        level.join_as_process(static_cast<std::uint32_t>(p));
        told_.wait_for_all();
        for (int i = 0; i < rounds; ++i) {
          auto seat = i % 3 ? level.take(client(i % 4), -1) : level.take();
          if (!seat) continue;
          told_.enter();
          if (i % 3 == 0) level.charge(*seat, client(p));
          --told_.inside;
        }
      }));
    told_.may_begin = true;
  }
  EXPECT_LE(told_.most, bound);
  EXPECT_LE(level.peak(), bound);
  EXPECT_GE(told_.taken, rounds);
  expect_all_free(level, 6);
}

TEST_F(ALevelOfProcesses, HoldsPerClientAcrossThem) {
  constexpr int share = 2;
  Level level(100, share);
  {
    std::vector<std::unique_ptr<Process>> hammering;
    for (std::uint32_t p = 1; p <= 4; ++p)
      hammering.push_back(std::make_unique<Process>([&, p] {
        level.join_as_process(p);
        told_.wait_for_all();
        for (int i = 0; i < 3'000; ++i) {
          const auto seat = level.take(client(1), -1);
          if (!seat) continue;
          told_.enter();
          --told_.inside;
        }
      }));
    told_.may_begin = true;
  }
  EXPECT_LE(told_.most, share);
  expect_all_free(level, 3);
}

TEST_F(ALevelOfProcesses, GetsBackTheSeatsOfOneThatWasKilled) {
  Level level(10, 2);
  const auto own = level.take(client(1), -1);
  Process killed([&] {
    level.join_as_process(7);
    const auto one = level.take(client(1), -1), other = level.take(client(2), -1);
    const auto unnamed = level.take();
    told_.is_seated = true;
    for (;;) pause();
  });
  ASSERT_TRUE(killed.reaches(told_.is_seated));
  EXPECT_EQ(level.count(), 4);
  EXPECT_FALSE(level.take(client(1), -1).has_value());
  killed.kill();
  EXPECT_EQ(level.count(), 4);
  EXPECT_EQ(level.release_process(7), 3);
  EXPECT_EQ(level.release_process(7), 0);
  EXPECT_EQ(level.count(), 1);
  EXPECT_TRUE(level.take(client(1), -1).has_value());
}

TEST_F(ALevelOfProcesses, LosesNoSeatWhereverOneIsKilled) {
  constexpr int bound = 8, share = 4, kills = 60;
  Level level(bound, share);
  std::mt19937 random(1);
  for (std::uint32_t p = 1; p <= kills; ++p) {
    told_.is_seated = false;
    const auto busy = [&](std::uint32_t process) {
      level.join_as_process(process);
      for (int i = 0;; ++i) {
        auto seat = level.take(client(i % 5), -1);
        auto other = level.take();
        if (other) level.charge(*other, client(i % 3));
        if (i == 3) told_.is_seated = true;
      }
    };
    Process killed([&] { busy(p); }), survivor([&] { busy(kills + p); });
    ASSERT_TRUE(killed.reaches(told_.is_seated));
    // Anywhere in its work.
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
    killed.kill();
    level.release_process(p);
    survivor.kill();
    level.release_process(kills + p);
    ASSERT_EQ(level.count(), 0) << p;
  }
  expect_all_free(level, 6);
}

TEST_F(ALevelOfProcesses, TellsWhoWaitsHereWhenADeadOnesSeatsComeBack) {
  Level level(1, 1);
  Process killed([&] {
    level.join_as_process(7);
    const auto seat = level.take(client(1), -1);
    told_.is_seated = true;
    for (;;) pause();
  });
  ASSERT_TRUE(killed.reaches(told_.is_seated));
  EXPECT_EQ(level.take().error(), Level::Refusal::full);
  killed.kill();
  level.release_process(7);
  EXPECT_TRUE(level.take().has_value());
}

TEST(ChangedBounds, HoldFromThenOn) {
  Level level(2, 1);
  const auto first = level.take(client(1), -1), second = level.take(client(2), -1);
  level.set_bounds(3, 2);
  auto third = level.take(client(1), -1);
  EXPECT_TRUE(third.has_value());
  EXPECT_EQ(level.take(client(3), -1).error(), Level::Refusal::full);
  level.set_bounds(1, 1);
  EXPECT_EQ(level.vacant(), -2);
  third->leave();
  EXPECT_EQ(level.take(client(3), -1).error(), Level::Refusal::full);
  EXPECT_EQ(level.count(), 2);
}

TEST(ChangedBounds, MakeRoomForManyMoreClients) {
  Level level(1, 1);
  level.set_bounds(50'000, 1);
  std::vector<Seat> seats;
  for (int i = 0; i < 50'000; ++i) seats.push_back(std::move(*level.take(client(i), -1)));
  EXPECT_EQ(level.take(client(50'000), -1).error(), Level::Refusal::full);
  for (int i = 0; i < 50'000; i += 777) EXPECT_FALSE(level.take(client(i), -1).has_value());
  seats.clear();
  EXPECT_EQ(level.count(), 0);
  for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(level.take(client(i), -1).has_value());
}

TEST(ChangedBounds, KeepTheSeatsThatWereTakenBefore) {
  Level level(100, 2);
  std::vector<Seat> seats;
  for (int i = 0; i < 100; ++i) seats.push_back(std::move(*level.take(client(i / 2), -1)));
  level.set_bounds(10'000, 2);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(level.take(client(i), -1).error(), Level::Refusal::client_has_enough);
  seats.clear();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(level.take(client(i), -1).has_value());
}

TEST(ChangedBounds, HoldAMillion) {
  Level level(Level::most, 2);
  std::vector<Seat> seats;
  for (int i = 0; i < 1'000; ++i) seats.push_back(std::move(*level.take(client(i), -1)));
  EXPECT_EQ(level.vacant(), Level::most - 1'000);
}
