#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class ADesignThatEnds : public EveryWayAndTransport {};
INSTANTIATE_TEST_SUITE_P(Under, ADesignThatEnds, with_transports(ways_to_serve()), name_of_combination);

class ADesignWithConnections : public EveryWayAndTransport {};
INSTANTIATE_TEST_SUITE_P(Under, ADesignWithConnections, with_streams(ways_to_serve()), name_of_combination);

task<> sleeps_long(auto& client, Notes& notes) {
  constexpr Millis long_time = std::chrono::hours(1);
  ++notes.present;
  const bool slept = co_await client.sleep(long_time);
  notes.add(slept ? "slept" : "cut");
}

}  // namespace

TEST_P(ADesignThatEnds, LeavesNoThreadAndNoProcessBehind) {
  const auto before = threads_and_processes();
  {
    Serving serving(way(), {where()}, echoes_stream, echoes_datagram);
    const auto client = serving.client();
    ASSERT_TRUE(send_text(client, "hello"));
    ASSERT_EQ(received_text(client), "hello");
    EXPECT_GT(threads_and_processes(), before);
  }
  EXPECT_TRUE(soon([&] { return threads_and_processes() <= before; }));
}

TEST_P(ADesignThatEnds, ClosesWhenNobodyCame) {
  Serving serving(way(), {where()}, echoes_stream, echoes_datagram);
  EXPECT_TRUE(serving.closes());
  EXPECT_TRUE(serving.design->close()) << "and stays closed";
}

TEST_P(ADesignWithConnections, EndsThoughClientsAreConnectedAndSilent) {
  Limits limits;
  limits.level = limits.per_client = 4;
  const auto before = threads_and_processes();
  std::vector<Socket> clients;
  {
    // More than the level: some are in the backlog, or accepted and without a seat.
    Serving serving(way(), {where()}, echoes_stream, nullptr, limits);
    for (int i = 0; i < 8; ++i) clients.push_back(serving.client());
    ASSERT_TRUE(soon([&] { return serving.hosted->level.count() >= 1; }));
  }
  for (const auto& client : clients) EXPECT_TRUE(is_closed_by_peer(client));
  EXPECT_TRUE(soon([&] { return threads_and_processes() <= before; }));
}

TEST_P(ADesignWithConnections, LetsConversationsGoOnAfterItClosed) {
  Serving serving(way(), {where()}, echoes_stream);
  auto client = serving.client();
  ASSERT_TRUE(send_text(client, "before"));
  ASSERT_EQ(received_text(client), "before");
  // Whether it says that it is closed while a listening thread serves depends on the design.
  for (int i = 0; i < 5; ++i) (void)serving.design->close();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(send_text(client, "after"));
    ASSERT_EQ(received_text(client), "after");
  }
  client.reset();
  EXPECT_TRUE(serving.closes());
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
  EXPECT_EQ(serving.counted(&Counters::served), 1U);
}

TEST_P(ADesignThatEnds, CutsHandlersThatSleep) {
  Serving serving(way(), {where()}, sleeps_long, sleeps_long);
  const auto client = serving.client();
  if (is_datagrams()) {
    ASSERT_TRUE(send_text(client, "?"));
  }
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  (void)serving.design->close();
  serving.hosted->level.cut_all();
  serving.design->cut();
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
  // A process is killed, which it does not notice.
  if (forks(way()))
    EXPECT_EQ(serving.counted(&Counters::cut), 1U);
  else
    EXPECT_EQ(serving.notes.all(), std::vector<std::string>{"cut"});
}

TEST_P(ADesignThatEnds, ServesWhoWasInTheBacklogWhenItClosed) {
  Limits limits;
  limits.level = limits.per_client = 20;
  Serving serving(
      way(), {where()},
      [](Connection& client, Notes& notes) -> task<> {
        if (++notes.present == 1) co_await waits_until(client, notes, may_go);
        constexpr std::string_view answer = "served";
        co_await client.write(answer);
      },
      [](Datagram& request, Notes& notes) -> task<> {
        if (++notes.present == 1) co_await waits_until(request, notes, may_go);
        request.reply("served");
      },
      limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(serving.client());
    if (is_datagrams()) {
      ASSERT_TRUE(send_text(clients.back(), "?"));
    }
  }
  (void)serving.design->close();
  serving.notes.may_go = true;
  EXPECT_TRUE(serving.closes());
  for (const auto& client : clients) EXPECT_EQ(received_text(client), "served");
}
