#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

DesignSettings four_workers() { return {.design = "prethreaded", .workers = 4}; }

}  // namespace

TEST(PrethreadedWorkers, StandAtEachListener) {
  const auto before = threads_of_this_process();
  const Serving serving(four_workers(), {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}, echoes_stream, echoes_datagram);
  EXPECT_EQ(threads_of_this_process(), before + 8);
}

TEST(PrethreadedWorkers, AreAllBusyAtOnce) {
  Serving serving(four_workers(), {"tcp/127.0.0.1:0"}, meets_others_computing<4>);
  std::vector<Socket> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(serving.client());
  ASSERT_TRUE(soon([&] { return serving.notes.count() == 4; }));
  EXPECT_EQ(serving.notes.all(), std::vector<std::string>(4, "met"));
}

TEST(PrethreadedWorkers, EachTakeOneDatagramAtATime) {
  // With a batch, one of them would keep what the others could serve.
  Serving serving(four_workers(), {"udp/127.0.0.1:0"}, nullptr, meets_others_computing<4>);
  const auto client = serving.client();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(send_text(client, "?"));
  ASSERT_TRUE(soon([&] { return serving.notes.count() == 4; }));
  EXPECT_EQ(serving.notes.all(), std::vector<std::string>(4, "met"));
}

TEST(PrethreadedWorkers, LeaveTheNextClientInTheBacklogWhenAllAreBusy) {
  Serving serving(four_workers(), {"tcp/127.0.0.1:0"}, [](Connection& client, Notes& notes) -> task<> {
    ++notes.present;
    co_await waits_until(client, notes, may_go);
  });
  std::vector<Socket> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(serving.client());
  ASSERT_TRUE(soon([&] { return serving.notes.present == 4; }));
  EXPECT_EQ(serving.counted(&Counters::accepted), 4U);
  serving.notes.may_go = true;
  EXPECT_TRUE(soon([&] { return serving.notes.present == 6; }));
  EXPECT_EQ(serving.hosted->level.peak(), 4);
}

TEST(PrethreadedWorkers, WaitForAPlaceWhenTheLevelIsBelowTheirNumber) {
  Limits limits;
  limits.level = limits.per_client = 2;
  Serving serving(
      four_workers(), {"tcp/127.0.0.1:0"},
      [](Connection& client, Notes& notes) -> task<> {
        ++notes.present;
        co_await waits_until(client, notes, may_go);
      },
      nullptr, limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(serving.client());
  ASSERT_TRUE(soon([&] { return serving.notes.present == 2; }));
  serving.notes.may_go = true;
  EXPECT_TRUE(soon([&] { return serving.notes.present == 10; }));
  EXPECT_EQ(serving.hosted->level.peak(), 2);
}

TEST(PrethreadedWorkers, OfOneListenerPassAVacancyOnToAnothers) {
  Limits limits;
  limits.level = limits.per_client = 1;
  Serving serving(
      {.design = "prethreaded", .workers = 2}, {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"},
      [](Connection& client, Notes& notes) -> task<> {
        ++notes.present;
        co_await waits_until(client, notes, may_go);
      },
      echoes_datagram, limits);
  const auto seated = serving.client(0);
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  // Wakes the workers that already blocked when there was a place, so that all of both listeners wait for one.
  const auto queued = serving.client(0);
  const auto asking = serving.client(1);
  ASSERT_TRUE(send_text(asking, "one"));
  ASSERT_TRUE(send_text(asking, "two"));
  ASSERT_TRUE(soon([&] { return serving.counted(&Counters::full) >= 3; }));
  serving.notes.may_go = true;
  EXPECT_TRUE(received_text(asking).has_value());
  EXPECT_TRUE(received_text(asking).has_value());
}
