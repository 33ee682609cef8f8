#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(ACancel);

TEST_P(ACancel, FromAnotherThreadEndsWhateverIsWaitedFor) {
  Pair& pair = keep(tcp_pair());
  stuff(pair.ours);
  const Socket door = listening();
  const auto until_it_waits = [](Engine& engine, Request& request, Kind kind) {
    if (kind == Kind::write)
      start_write(engine, request, "no room");
    else
      start(engine, request, kind, kind == Kind::sleep ? Clock::now() + std::chrono::hours{1} : never);
  };
  for (const Kind kind : {Kind::read, Kind::write, Kind::readable, Kind::sleep, Kind::signal}) {
    Request& request = request_for(kind == Kind::readable ? door : pair.ours);
    until_it_waits(engine(), request, kind);
    turn_some();
    ASSERT_FALSE(request.is_done()) << static_cast<int>(kind);
    std::jthread other([&] { engine().cancel(request); });
    while (!request.is_done()) engine().turn(never);
    EXPECT_EQ(request.outcome, Outcome::cancelled) << static_cast<int>(kind);
    EXPECT_EQ(request.completions, 1);
    engine().forget(request);
  }
}

TEST_P(ACancel, OfOneThatWaitsForNothingIsForgotten) {
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  engine().cancel(request);
  turn_some();
  start_read(engine(), request);
  ASSERT_TRUE(send_text(pair.client, "alive"));
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.got, "alive");
}

TEST_P(ACancel, LosesNoBytes) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  for (int i = 0; i < 20; ++i) {
    start_read(engine(), request);
    turn_some();
    engine().cancel(request);
    const auto text = "message " + std::to_string(i);
    ASSERT_TRUE(send_text(pair.client, text));
    ASSERT_TRUE(turn_until_done(request));
    if (request.outcome == Outcome::cancelled) {
      start_read(engine(), request);
      ASSERT_TRUE(turn_until_done(request));
    }
    ASSERT_EQ(request.got, text);
  }
}

// The frame and what it wanted to send are gone right after.
TEST_P(ACancel, LeavesNothingThatReadsTheBytesLater) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "go"));
  ASSERT_TRUE(turn_until_done(request));
  std::string text(4'000, 'x');
  start_write(engine(), request, text);
  engine().cancel(request);
  engine().post([&] { text.assign(text.size(), 'y'); });
  ASSERT_TRUE(turn_until_done(request));
  turn_some();
  const auto got = receive_now(pair.client);
  EXPECT_EQ(got, std::string(got.size(), 'x'));
}

TEST_P(ACancel, OfAllEndsAllWithinTheCall) {
  Pair& pair = keep(tcp_pair());
  Pair& full = keep(tcp_pair());
  stuff(full.ours);
  const Socket door = listening();
  Request& reader = request_for(pair.ours);
  Request& writer = request_for(full.ours);
  Request& accepter = request_for(door);
  Request& sleeper = request_without_socket();
  Request& waiter = request_without_socket();
  start_read(engine(), reader);
  start_write(engine(), writer, "no room");
  start(engine(), accepter, Kind::readable);
  start(engine(), sleeper, Kind::sleep, Clock::now() + std::chrono::hours{1});
  start(engine(), waiter, Kind::signal);
  turn_some();
  engine().cancel_all();
  for (auto* request : {&reader, &writer, &accepter, &sleeper, &waiter}) {
    EXPECT_EQ(request->completions, 1);
    EXPECT_EQ(request->outcome, Outcome::cancelled);
    engine().forget(*request);
  }
}

namespace {

// As a listener does it that is short of descriptors: it goes on pausing, whatever comes.
detached pause_for_ever(Waiter& waiter, Request& request, const bool& ending) {
  while (!ending) {
    request.kind = Kind::sleep;
    request.deadline = Clock::now() + Millis{10};
    co_await Wait(waiter, request);
    ++request.completions;
  }
}

}  // namespace

TEST_P(ACancel, OfAllReachesThoseBehindOneThatSleepsAgain) {
  bool ending = false;
  Request& restless = request_without_socket();
  pause_for_ever(engine(), restless, ending);
  std::vector<Request*> sleepers;
  for (int i = 0; i < 10; ++i) {
    sleepers.push_back(&request_without_socket());
    start(engine(), *sleepers.back(), Kind::sleep, Clock::now() + std::chrono::hours{i + 1});
  }
  turn_some();
  const auto before = restless.completions;
  engine().cancel_all();
  EXPECT_EQ(restless.completions, before + 1);
  for (const auto* sleeper : sleepers) EXPECT_EQ(sleeper->outcome, Outcome::cancelled);
  // Lets it see its end while there is an `ending` to see.
  ending = true;
  engine().cancel_all();
  EXPECT_EQ(restless.completions, before + 2);
}

TEST_P(ACancel, OfAllFreesThePortOfAClosedListener) {
  auto door = listening();
  const auto port = port_of(door);
  Request& request = request_for(door);
  start(engine(), request, Kind::readable);
  turn_some();
  engine().cancel_all();
  ASSERT_TRUE(request.is_done());
  engine().forget(request);
  door.reset();
  engine().cancel_all();
  EXPECT_TRUE(listening(port).is_open()) << "errno " << errno;
}

TEST_P(ACancel, OfAllClosesTheConnectionsThatEndWithIt) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  engine().cancel_all();
  ASSERT_TRUE(request.is_done());
  engine().forget(request);
  pair.ours.reset();
  engine().cancel_all();
  EXPECT_TRUE(is_at_end(pair.client));
}
