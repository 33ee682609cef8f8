#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AForgottenConnection);

namespace {

/// A new connection under the descriptor that `old` had.
Pair renew(Pair& old) {
  const int fd = old.ours.fd();
  Pair fresh = tcp_pair();
  old.ours.reset();
  if (::dup3(fresh.ours.fd(), fd, O_CLOEXEC) != fd) throw std::runtime_error("dup3");
  fresh.ours.reset(fd);
  return fresh;
}

}  // namespace

TEST_P(AForgottenConnection, IsClosedForItsClient) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "bye"));
  ASSERT_TRUE(turn_until_done(request));
  engine().forget(request);
  pair.ours.reset();
  EXPECT_TRUE(turn_until([&] { return is_at_end(pair.client); }));
}

// The next one has the same descriptor, within the same turn.
TEST_P(AForgottenConnection, LeavesItsBytesToNobody) {
  for (const bool was_waited_for : {false, true}) {
    Pair old = tcp_pair();
    Request& before = request_for(old.ours);
    start_read(engine(), before, Clock::now() + Millis{1});
    if (was_waited_for) {
      ASSERT_TRUE(turn_until_done(before));
    } else {
      engine().cancel_all();
      ASSERT_TRUE(before.is_done());
    }
    ASSERT_TRUE(send_text(old.client, "of the old one"));
    engine().forget(before);
    Pair& fresh = keep(renew(old));
    Request& after = request_for(fresh.ours);
    start_read(engine(), after);
    turn_some();
    EXPECT_FALSE(after.is_done()) << after.got;
    ASSERT_TRUE(send_text(fresh.client, "of the new one"));
    ASSERT_TRUE(turn_until_done(after));
    EXPECT_EQ(after.got, "of the new one");
    EXPECT_TRUE(turn_until([&] {
      char one;
      return ::recv(old.client.fd(), &one, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN;
    }));
    engine().forget(after);
  }
}

// Asked for, and given up before the loop turned: what was asked must not reach whoever comes next. An engine may ask in
// another way where some crumbs were left unread for a while.
TEST_P(AForgottenConnection, DoesNotTakeTheBytesOfTheNextOne) {
  for (int crumbs = 0; crumbs < 8; ++crumbs) {
    Pair old = tcp_pair();
    Request& before = request_for(old.ours);
    start_read(engine(), before);
    turn_some();
    ASSERT_TRUE(send_text(old.client, "first"));
    ASSERT_TRUE(turn_until_done(before));
    for (int i = 0; i < crumbs; ++i) {
      ASSERT_TRUE(send_text(old.client, "."));
      turn_some();
    }
    for (std::size_t seen = 0; seen < static_cast<std::size_t>(crumbs); seen += before.got.size()) {
      start_read(engine(), before);
      ASSERT_TRUE(turn_until_done(before));
    }
    Pair fresh;
    start_read(engine(), before);
    engine().cancel(before);
    engine().post([&] {
      engine().forget(before);
      fresh = renew(old);
      EXPECT_TRUE(send_text(fresh.client, "for the new one"));
    });
    ASSERT_TRUE(turn_until([&] { return fresh.ours.is_open(); }));
    turn_some();
    Request& after = request_for(fresh.ours);
    start_read(engine(), after);
    ASSERT_TRUE(turn_until_done(after)) << crumbs;
    EXPECT_EQ(after.got, "for the new one") << crumbs;
    engine().forget(after);
  }
}

TEST_P(AForgottenConnection, DoesNotKeepTheLoopAwake) {
  {
    Pair pair = tcp_pair();
    Request& request = request_for(pair.ours);
    start_read(engine(), request);
    turn_some();
    ASSERT_TRUE(send_text(pair.client, "bye"));
    ASSERT_TRUE(turn_until_done(request));
    engine().forget(request);
  }
  Request& sleeper = request_without_socket();
  start(engine(), sleeper, Kind::sleep, Clock::now() + Millis{100});
  int turns = 0;
  for (; !sleeper.is_done(); ++turns) engine().turn(never);
  EXPECT_LE(turns, 60);
}

TEST_P(AForgottenConnection, IsNotWokenByWhatWasAskedBefore) {
  Pair& pair = keep(unix_pair());
  Request& request = request_for(pair.ours);
  std::jthread([&] {
    engine().signal(request);
    engine().cancel(request);
  }).join();
  engine().forget(request);
  start_read(engine(), request);
  turn_some();
  EXPECT_FALSE(request.is_done());
}

TEST_P(AForgottenConnection, MayComeAndGoVeryOften) {
  Pair& guard = keep(tcp_pair());  // keeps descriptors from being the same in each round
  Request& idle = request_for(guard.ours);
  start_read(engine(), idle);
  for (int i = 0; i < 300; ++i) {
    const Pair pair = tcp_pair();
    Request request(pair.ours.fd());
    start_read(engine(), request);
    engine().turn({});
    const auto text = "round " + std::to_string(i);
    if (!send_text(pair.client, text) || !turn_until_done(request)) FAIL() << i;
    EXPECT_EQ(request.got, text);
    start_write(engine(), request, text);
    if (!turn_until_done(request)) FAIL() << i;
    EXPECT_EQ(receive_now(pair.client), text);
    engine().forget(request);
  }
  EXPECT_FALSE(idle.is_done());
}
