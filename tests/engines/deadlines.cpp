#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(ADeadline);

TEST_P(ADeadline, EndsAReadAndNotBefore) {
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  const Time deadline = Clock::now() + Millis{30};
  start_read(engine(), request, deadline);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
  EXPECT_GE(Clock::now(), deadline);
}

TEST_P(ADeadline, EndsAWrite) {
  Pair& pair = keep(unix_pair());
  stuff(pair.ours);
  Request& request = request_for(pair.ours);
  const Time deadline = Clock::now() + Millis{30};
  start_write(engine(), request, "no room", deadline);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
  EXPECT_GE(Clock::now(), deadline);
}

TEST_P(ADeadline, EndsAWaitForClients) {
  const Socket door = listening();
  Request& request = request_for(door);
  start(engine(), request, Kind::readable, Clock::now() + Millis{20});
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}

TEST_P(ADeadline, IsTheEndOfASleep) {
  Request& request = request_without_socket();
  const Time deadline = Clock::now() + Millis{20};
  start(engine(), request, Kind::sleep, deadline);
  turn_some();
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_GE(Clock::now(), deadline);
}

TEST_P(ADeadline, EndsAWaitForASignal) {
  Request& request = request_without_socket();
  start(engine(), request, Kind::signal, Clock::now() + Millis{20});
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}

TEST_P(ADeadline, WakesALoopThatWaitsForNothingElse) {
  Request& request = request_without_socket();
  start(engine(), request, Kind::sleep, Clock::now() + Millis{30});
  while (!request.is_done()) engine().turn(never);
  EXPECT_EQ(request.outcome, Outcome::done);
}

// A timer is not moved with each message: it comes up for the old deadline and has to find that there is a new one.
TEST_P(ADeadline, MovesWithEachRequest) {
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request, Clock::now() + Millis{30});
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "in time"));
  ASSERT_TRUE(turn_until_done(request));
  ASSERT_EQ(request.outcome, Outcome::done);
  const Time later = Clock::now() + Millis{150};
  start_read(engine(), request, later);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
  EXPECT_GE(Clock::now(), later);
}

TEST_P(ADeadline, ThatIsNearerComesFirst) {
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request, Clock::now() + std::chrono::hours{1});
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "soon"));
  ASSERT_TRUE(turn_until_done(request));
  start_read(engine(), request, Clock::now() + Millis{20});
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}

TEST_P(ADeadline, MovesWhileAWriteMakesProgress) {
  Pair& pair = keep(unix_pair());
  stuff(pair.ours);
  Request& request = request_for(pair.ours);
  const std::string text = pattern(20'000'000);
  const Time first = Clock::now() + Millis{200};
  start_write(engine(), request, text, first);
  request.progressed = [](Operation& operation, std::size_t) noexcept {
    operation.deadline = Clock::now() + Millis{200};
  };
  // Until well behind the first deadline, some bytes at a time.
  Time next = Clock::now();
  ASSERT_TRUE(turn_until([&] {
    if (Clock::now() >= next) {
      (void)receive_now(pair.client);
      next = Clock::now() + Millis{20};
    }
    return Clock::now() > first + Millis{50} || request.kind == Kind::none;
  }));
  EXPECT_EQ(request.kind, Kind::write) << "ended with " << static_cast<int>(request.outcome);
  ASSERT_TRUE(turn_until([&] { return request.kind == Kind::none; }));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}

TEST_P(ADeadline, DoesNotCountWhenTheBytesAreThere) {
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request, Clock::now() + Millis{20});
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "here"));
  // The loop was held up for longer than the client had time.
  for (const Time until = Clock::now() + Millis{40}; Clock::now() < until;) std::this_thread::yield();
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_EQ(request.got, "here");
}

TEST_P(ADeadline, LosesNoBytesThatComeLater) {
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request, Clock::now() + Millis{5});
  ASSERT_TRUE(turn_until_done(request));
  ASSERT_EQ(request.outcome, Outcome::timed_out);
  ASSERT_TRUE(send_text(pair.client, "late"));
  turn_some();
  start_read(engine(), request);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.got, "late");
}
