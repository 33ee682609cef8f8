// What an operation's owner prepares in a thread that has lost the loop is not the engine's until it is adopted.
#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AnOperationElsewhere);

namespace {

void prepare_elsewhere(Request& request) {
  request.kind = Kind::read;
  request.deadline = {};
  request.outcome = Outcome::failed;
  request.parked = std::noop_coroutine();
}

}  // namespace

TEST_P(AnOperationElsewhere, IsNoBusinessOfTheTimerThatItsEarlierRequestLeft) {
  auto& pair = keep(unix_pair());
  auto& request = request_for(pair.ours);
  const Time due = Clock::now() + Millis{20};
  start_read(engine(), request, due);
  ASSERT_TRUE(send_text(pair.client, "first"));
  ASSERT_TRUE(turn_until_done(request));
  ASSERT_TRUE(request.in_wheel());

  prepare_elsewhere(request);
  ASSERT_TRUE(send_text(pair.client, "second"));
  ASSERT_TRUE(turn_until([&] { return Clock::now() > due + Millis{10}; }));
  EXPECT_FALSE(request.in_wheel());
  EXPECT_EQ(request.kind, Kind::read);
  EXPECT_EQ(request.outcome, Outcome::failed);

  start_read(engine(), request);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.got, "second");
}

TEST_P(AnOperationElsewhere, IsNotCancelled) {
  auto& pair = keep(unix_pair());
  auto& request = request_for(pair.ours);
  start_read(engine(), request, Clock::now() + patience);
  ASSERT_TRUE(send_text(pair.client, "first"));
  ASSERT_TRUE(turn_until_done(request));

  prepare_elsewhere(request);
  engine().cancel(request);
  turn_some();
  engine().cancel_all();
  EXPECT_EQ(request.kind, Kind::read);
  EXPECT_EQ(request.outcome, Outcome::failed);
}
