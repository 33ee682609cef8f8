#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AStallOfTheLoop);

// A handler that computes, or a stop of the whole process: the deadline was reckoned from before it.
TEST_P(AStallOfTheLoop, IsNoSilenceOfTheClients) {
  constexpr Millis idle{20}, stall{500};
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  for (int i = 0; i < 2; ++i) {
    engine().turn({});
    std::this_thread::sleep_for(stall);
    start_read(engine(), request, engine().now() + idle);
    turn_some();
    ASSERT_FALSE(request.is_done());
    ASSERT_TRUE(send_text(pair.client, "back again"));
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.got, "back again");
  }
}

TEST_P(AStallOfTheLoop, ExcusesNobodyTwice) {
  constexpr Millis idle{20}, stall{60};
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request, engine().now() + idle);
  // A loop that is never in time.
  for (int turns = 0; turns < 10 && !request.is_done(); ++turns) {
    std::this_thread::sleep_for(stall);
    engine().turn({});
  }
  ASSERT_TRUE(request.is_done());
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}
