#include <sys/ioctl.h>

#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AHandlerThatWaitsForSomethingElse);

namespace {

// A loop that spins turns thousands of times in so many milliseconds.
constexpr int few_turns = 60;

}  // namespace

// The engine watches its connection because it has read before.
TEST_P(AHandlerThatWaitsForSomethingElse, DoesNotSpinWhileBytesArrive) {
  for (const bool closes : {false, true}) {
    Pair& pair = keep(tcp_pair());
    Request& request = request_for(pair.ours);
    start_read(engine(), request);
    turn_some();
    ASSERT_TRUE(send_text(pair.client, "question"));
    ASSERT_TRUE(turn_until_done(request));
    start(engine(), request, Kind::sleep, Clock::now() + Millis{100});
    ASSERT_TRUE(send_text(pair.client, "more"));
    if (closes) ::shutdown(pair.client.fd(), SHUT_WR);
    int turns = 0;
    while (!request.is_done()) {
      engine().turn(never);
      ++turns;
    }
    EXPECT_LE(turns, few_turns);
    start_read(engine(), request);
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.got, "more");
    if (!closes) continue;
    start_read(engine(), request);
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.outcome, Outcome::end_of_stream);
  }
}

TEST_P(AHandlerThatWaitsForSomethingElse, DoesNotSpinWhenItsClientIsGone) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "question"));
  ASSERT_TRUE(turn_until_done(request));
  start(engine(), request, Kind::sleep, Clock::now() + Millis{100});
  reset(pair.client);
  int turns = 0;
  while (!request.is_done()) {
    engine().turn(never);
    ++turns;
  }
  EXPECT_LE(turns, few_turns);
  start_read(engine(), request);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::failed);
}

// Back-pressure: what nobody reads stays in the socket buffers, and then with the client.
TEST_P(AHandlerThatWaitsForSomethingElse, TakesInABoundedAmount) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "question"));
  ASSERT_TRUE(turn_until_done(request));
  start(engine(), request, Kind::sleep, Clock::now() + Millis{200});
  const std::string block(1'000, 'x');
  std::size_t sent = 0;
  while (!request.is_done()) {
    for (ssize_t part; (part = ::send(pair.client.fd(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
      sent += static_cast<std::size_t>(part);
    engine().turn(Clock::now() + Millis{5});
  }
  pollfd room{.fd = pair.client.fd(), .events = POLLOUT, .revents = 0};
  EXPECT_EQ(::poll(&room, 1, 0), 0) << "the client could send on for ever: " << sent << " bytes so far";
  ::shutdown(pair.client.fd(), SHUT_WR);
  Request& rest = request_for(pair.ours);
  engine().forget(request);
  read_to_end(engine(), rest);
  ASSERT_TRUE(turn_until_done(rest));
}

// Nor does it hold more than a few of the buffers that all share, in however small pieces the client sends.
TEST_P(AHandlerThatWaitsForSomethingElse, LeavesCrumbsInTheSocket) {
  constexpr int crumbs = 100;
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "question"));
  ASSERT_TRUE(turn_until_done(request));
  for (int i = 0; i < crumbs; ++i) {
    ASSERT_TRUE(send_text(pair.client, "."));
    engine().turn({});
  }
  int left = 0;
  ASSERT_EQ(::ioctl(pair.ours.fd(), FIONREAD, &left), 0);
  EXPECT_GT(left, crumbs / 2);
  ::shutdown(pair.client.fd(), SHUT_WR);
  read_to_end(engine(), request);
  ASSERT_TRUE(turn_until([&] { return request.completions == 2; }));
  EXPECT_EQ(request.got, std::string(crumbs, '.'));
}

TEST_P(AHandlerThatWaitsForSomethingElse, DoesNotSpinWhileItWaitsForRoom) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "question"));
  ASSERT_TRUE(turn_until_done(request));
  ASSERT_TRUE(send_text(pair.client, "are you still there?"));
  stuff(pair.ours);
  start_write(engine(), request, "no room", Clock::now() + Millis{100});
  int turns = 0;
  while (!request.is_done()) {
    engine().turn(never);
    ++turns;
  }
  EXPECT_LE(turns, few_turns);
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}

TEST_P(AHandlerThatWaitsForSomethingElse, LeavesOthersAsleep) {
  Pair& pair = keep(tcp_pair());
  Request& reader = request_for(pair.ours);
  start_read(engine(), reader);
  Request& sleeper = request_without_socket();
  start(engine(), sleeper, Kind::sleep, Clock::now() + Millis{100});
  int turns = 0;
  while (!sleeper.is_done()) {
    engine().turn(never);
    ++turns;
  }
  EXPECT_LE(turns, few_turns);
}
