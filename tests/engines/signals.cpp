#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(ASignal);

TEST_P(ASignal, WakesWhoWaitsForIt) {
  Request& request = request_without_socket();
  start(engine(), request, Kind::signal);
  turn_some();
  ASSERT_FALSE(request.is_done());
  engine().signal(request);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
}

TEST_P(ASignal, FromAnotherThreadEndsAWaitWithoutEnd) {
  Request& request = request_without_socket();
  start(engine(), request, Kind::signal);
  std::jthread other([&] { engine().signal(request); });
  while (!request.is_done()) engine().turn(never);
  EXPECT_EQ(request.outcome, Outcome::done);
}

TEST_P(ASignal, IsNotLostWhenItComesFirst) {
  Request& request = request_without_socket();
  engine().signal(request);
  turn_some();
  start(engine(), request, Kind::signal);
  EXPECT_TRUE(request.is_done());
  EXPECT_EQ(request.outcome, Outcome::done);
}

TEST_P(ASignal, CountsOnce) {
  Request& request = request_without_socket();
  engine().signal(request);
  turn_some();
  start(engine(), request, Kind::signal);
  ASSERT_TRUE(request.is_done());
  start(engine(), request, Kind::signal, Clock::now() + Millis{10});
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}

TEST_P(ASignal, DoesNotEndASleepButIsKept) {
  Request& request = request_without_socket();
  start(engine(), request, Kind::sleep, Clock::now() + Millis{20});
  engine().signal(request);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_GE(Clock::now(), request.deadline);
  start(engine(), request, Kind::signal);
  EXPECT_TRUE(request.is_done());
}

// As two threads do it that take turns at a level: a signal answered by a signal.
TEST_P(ASignal, GoesToAndFroWithoutBeingLost) {
  constexpr int rounds = 2'000;
  Request& request = request_without_socket();
  std::atomic<int> seen{0};
  std::jthread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      engine().signal(request);
      for (const Time end = Clock::now() + patience; seen.load() < i && Clock::now() < end;) std::this_thread::yield();
    }
  });
  for (int i = 1; i <= rounds; ++i) {
    start(engine(), request, Kind::signal);
    ASSERT_TRUE(turn_until_done(request)) << i;
    ASSERT_EQ(request.outcome, Outcome::done);
    seen.store(i);
  }
}
