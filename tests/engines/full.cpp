#include <sys/resource.h>

#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AHighDescriptor);

namespace {

/// The same socket under a descriptor beyond what a set of select(2) holds; empty where the system has none so high.
Socket moved_up(Socket socket) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return Socket(::fcntl(socket.fd(), F_DUPFD_CLOEXEC, FD_SETSIZE + 10));
}

}  // namespace

TEST_P(AHighDescriptor, IsServedOrRefusedWithAReason) {
  Pair& pair = keep(tcp_pair());
  pair.ours = moved_up(std::move(pair.ours));
  if (!pair.ours.is_open()) GTEST_SKIP() << "no descriptor above " << FD_SETSIZE;
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  const int capacity = find_engine(GetParam())->capacity;
  if (capacity != 0) {
    ASSERT_LE(capacity, FD_SETSIZE);
    ASSERT_TRUE(request.is_done());
    EXPECT_EQ(request.outcome, Outcome::failed);
    EXPECT_EQ(request.error, engine_full);
    return;
  }
  ASSERT_FALSE(request.is_done());
  ASSERT_TRUE(send_text(pair.client, "up here"));
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.got, "up here");
}

TEST_P(AHighDescriptor, MayStillBeAnsweredWithoutWaiting) {
  Pair& pair = keep(tcp_pair());
  pair.ours = moved_up(std::move(pair.ours));
  if (!pair.ours.is_open()) GTEST_SKIP() << "no descriptor above " << FD_SETSIZE;
  Request& request = request_for(pair.ours);
  start_write(engine(), request, "at once");
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_EQ(receive_now(pair.client), "at once");
}
