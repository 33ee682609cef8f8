#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class AGroup : public EveryWay {};
INSTANTIATE_TEST_SUITE_P(Under, AGroup, ::testing::ValuesIn(ways_to_serve()), name_of_case);

void expect_echo(const Socket& client, std::string_view text) {
  ASSERT_TRUE(send_text(client, text));
  EXPECT_EQ(received_text(client), text);
}

}  // namespace

TEST_P(AGroup, ServesAllItsListeners) {
  const Folder folder;
  Serving serving(way(), {"tcp/127.0.0.1:0", "udp/127.0.0.1:0", folder.address(), "tcp/127.0.0.1:0"}, echoes_stream,
                  echoes_datagram);
  for (int round = 0; round < 3; ++round)
    for (std::size_t listener = 0; listener < 4; ++listener)
      expect_echo(serving.client(listener), "hello " + std::to_string(listener));
}

TEST_P(AGroup, ServesWhoWaitsAtEachListenerAtOnce) {
  Limits limits;
  limits.level = limits.per_client = 20;
  Serving serving(way(), {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}, echoes_stream, echoes_datagram, limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(serving.client(0));
    ASSERT_TRUE(send_text(clients.back(), "tcp"));
    ::shutdown(clients.back().fd(), SHUT_WR);
    clients.push_back(serving.client(1));
    ASSERT_TRUE(send_text(clients.back(), "udp"));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(received_text(clients[i]), i % 2 ? "udp" : "tcp") << i;
}

TEST_P(AGroup, MayGrow) {
  Serving serving(way(), {"tcp/127.0.0.1:0"}, echoes_stream, echoes_datagram);
  expect_echo(serving.client(0), "first");
  serving.open({"udp/127.0.0.1:0", "tcp/127.0.0.1:0"});
  for (std::size_t listener = 0; listener < 3; ++listener) expect_echo(serving.client(listener), "all");
}

TEST_P(AGroup, ClosesAtAllItsListeners) {
  Serving serving(way(), {"tcp/127.0.0.1:0", "udp/127.0.0.1:0", "tcp/127.0.0.1:0"}, echoes_stream, echoes_datagram);
  EXPECT_TRUE(serving.closes());
}

TEST(AnIterativeGroup, IsOneThread) {
  const auto before = threads_of_this_process();
  Serving serving({.design = "iterative"}, {"tcp/127.0.0.1:0", "udp/127.0.0.1:0", "tcp/127.0.0.1:0"}, echoes_stream,
                  echoes_datagram);
  expect_echo(serving.client(0), "hello");
  expect_echo(serving.client(1), "hello");
  EXPECT_EQ(threads_of_this_process(), before + 1);
}

TEST(AnIterativeGroup, ServesOthersBetweenTheClientsOfABusyListener) {
  // The listener with a long backlog must not keep the thread until it is empty.
  constexpr int busy = 20;
  Serving serving({.design = "iterative"}, {"tcp/127.0.0.1:0", "tcp/127.0.0.1:0"},
                  [](Connection& client, Notes& notes) -> task<> {
                    if (++notes.present == 1) co_await waits_until(client, notes, may_go);
                    notes.add(client.local().text());
                  });
  std::vector<Socket> clients;
  for (int i = 0; i < busy; ++i) clients.push_back(serving.client(0));
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  const auto other = serving.client(1);
  Endpoint where;
  socklen_t size = Endpoint::capacity;
  ASSERT_EQ(::getpeername(other.fd(), where.address(), &size), 0);
  where.set_size(size);
  serving.notes.may_go = true;
  ASSERT_TRUE(soon([&] { return serving.notes.count() == busy + 1; }));
  const auto order = serving.notes.all();
  const auto turn = std::ranges::find(order, where.text()) - order.begin();
  EXPECT_LE(turn, 3);
}
