#include <algorithm>

#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(APost);

TEST_P(APost, RunsInTheLoopsThread) {
  std::thread::id ran_in;
  std::jthread([&] { engine().post([&] { ran_in = std::this_thread::get_id(); }); }).join();
  ASSERT_TRUE(turn_until([&] { return ran_in != std::thread::id(); }));
  EXPECT_EQ(ran_in, std::this_thread::get_id());
}

TEST_P(APost, EndsAWaitWithoutEnd) {
  bool ran = false;
  std::jthread other([&] { engine().post([&] { ran = true; }); });
  while (!ran) engine().turn(never);
}

TEST_P(APost, KeepsTheOrder) {
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) engine().post([&order, i] { order.push_back(i); });
  ASSERT_TRUE(turn_until([&] { return order.size() == 100; }));
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST_P(APost, MayPostAgain) {
  bool ran = false;
  engine().post([&] { engine().post([&] { ran = true; }); });
  EXPECT_TRUE(turn_until([&] { return ran; }));
}

TEST_P(APost, IsNotLostAmongManyThreads) {
  std::atomic<int> sent{0};
  int ran = 0;
  std::list<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i, ++sent) engine().post([&ran] { ++ran; });
    });
  while (ran < 2'000) engine().turn(never);
  threads.clear();
  EXPECT_EQ(sent.load(), 2'000);
}

// The engine is made by one thread and turned by another for the rest of its life.
TEST_P(APost, ReachesALoopInAThreadOfItsOwn) {
  std::atomic<bool> ended{false};
  bool ending = false;
  std::jthread loop([&] {
    while (!ending) engine().turn(never);
    engine().cancel_all();
    ended = true;
  });
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  std::atomic<bool> told{false};
  engine().post([&] { start_read(engine(), request); });
  ASSERT_TRUE(send_text(pair.client, "hello"));
  engine().post([&] { told = true; });
  for (const Time end = Clock::now() + patience; !told && Clock::now() < end;) std::this_thread::yield();
  EXPECT_TRUE(told);
  engine().post([&] {
    engine().forget(request);
    ending = true;
  });
  loop.join();
  EXPECT_TRUE(ended);
}

TEST_P(APost, AWakeAloneEndsATurn) {
  engine().wake();
  engine().turn(never);
  // Woken before, and once more while it turns.
  std::jthread other([&] { engine().wake(); });
  engine().turn(never);
}
