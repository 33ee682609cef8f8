#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AListeningSocket);

namespace {

int accept_all(const Socket& door) {
  int count = 0;
  while (Socket(::accept4(door.fd(), nullptr, nullptr, SOCK_CLOEXEC)).is_open()) ++count;
  return count;
}

}  // namespace

TEST_P(AListeningSocket, IsReadableWhenSomebodyComes) {
  const Socket door = listening();
  Request& request = request_for(door);
  for (int i = 0; i < 3; ++i) {
    start(engine(), request, Kind::readable);
    turn_some();
    ASSERT_FALSE(request.is_done());
    const Socket client = connected(port_of(door));
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.outcome, Outcome::done);
    EXPECT_EQ(accept_all(door), 1);
  }
  engine().forget(request);
}

// A door takes in a few and lets others have their turn: those who are left wake it again.
TEST_P(AListeningSocket, IsReadableAgainWhileSomebodyIsLeft) {
  const Socket door = listening();
  std::list<Socket> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connected(port_of(door)));
  Request& request = request_for(door);
  for (int i = 0; i < 5; ++i) {
    start(engine(), request, Kind::readable);
    ASSERT_TRUE(turn_until_done(request)) << i;
    EXPECT_TRUE(Socket(::accept4(door.fd(), nullptr, nullptr, SOCK_CLOEXEC)).is_open());
  }
  start(engine(), request, Kind::readable);
  turn_some();
  EXPECT_FALSE(request.is_done());
  engine().cancel_all();
  engine().forget(request);
}

// The answer to what was given up may still come.
TEST_P(AListeningSocket, IsNotReadableForSomebodyElsesWait) {
  const Socket door = listening();
  Request& request = request_for(door);
  start(engine(), request, Kind::readable);
  turn_some();
  engine().cancel(request);
  engine().post([&] { start(engine(), request, Kind::readable); });
  turn_some();
  EXPECT_FALSE(request.is_done());
  const Socket client = connected(port_of(door));
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  engine().forget(request);
}

TEST_P(AListeningSocket, MayBeWatchedByTwoLoops) {
  const auto second = find_engine(GetParam())->make().value();
  const Socket door = listening();
  Request& one = request_for(door);
  Request other(door.fd());
  start(engine(), one, Kind::readable);
  start(*second, other, Kind::readable);
  turn_some();
  second->turn({});
  const Socket client = connected(port_of(door));
  ASSERT_TRUE(turn_until_done(one));
  for (const Time end = Clock::now() + patience; !other.is_done() && Clock::now() < end;)
    second->turn(Clock::now() + Millis{20});
  EXPECT_TRUE(other.is_done());
  EXPECT_EQ(accept_all(door), 1);
  second->cancel_all();
  second->forget(other);
  engine().forget(one);
}
