#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class WaitingHandlers : public EveryWayAndTransport {};
INSTANTIATE_TEST_SUITE_P(Under, WaitingHandlers, with_transports(concurrent_ways()), name_of_combination);

class ComputingHandlers : public EveryWayAndTransport {};
INSTANTIATE_TEST_SUITE_P(Under, ComputingHandlers, with_transports(parallel_ways()), name_of_combination);

/// Clients who want something: a connection is enough, a datagram has to be sent.
std::vector<Socket> clients_of(const Serving& serving, int number, bool datagrams) {
  std::vector<Socket> clients;
  for (int i = 0; i < number; ++i) {
    clients.push_back(serving.client());
    if (datagrams && !send_text(clients.back(), "?")) ADD_FAILURE() << "cannot send";
  }
  return clients;
}

constexpr int many = 8;

}  // namespace

TEST_P(WaitingHandlers, AreManyAtOnce) {
  Serving serving(way(), {where()}, meets_others<many>, meets_others<many>);
  const auto clients = clients_of(serving, many, is_datagrams());
  EXPECT_TRUE(soon([&] { return serving.notes.count() == many; }));
  EXPECT_EQ(serving.notes.all(), std::vector<std::string>(many, "met"));
  EXPECT_GE(serving.hosted->level.peak(), many);
}

TEST_P(WaitingHandlers, DoNotHoldUpWhoComesLater) {
  // The first waits until the last has been served.
  Serving serving(
      way(), {where()},
      [](Connection& client, Notes& notes) -> task<> {
        if (++notes.present == 1) co_await waits_until(client, notes, may_go);
        ++notes.finished;
      },
      [](Datagram& request, Notes& notes) -> task<> {
        if (++notes.present == 1) co_await waits_until(request, notes, may_go);
        ++notes.finished;
      });
  const auto first = clients_of(serving, 1, is_datagrams());
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  const auto others = clients_of(serving, 6, is_datagrams());
  ASSERT_TRUE(soon([&] { return serving.notes.finished == 6; }));
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 1; }));
  serving.notes.may_go = true;
  EXPECT_TRUE(soon([&] { return serving.notes.finished == 7; }));
}

TEST_P(ComputingHandlers, AreManyAtOnce) {
  Serving serving(way(), {where()}, meets_others_computing<many>, meets_others_computing<many>);
  const auto clients = clients_of(serving, many, is_datagrams());
  EXPECT_TRUE(soon([&] { return serving.notes.count() == many; }));
  EXPECT_EQ(serving.notes.all(), std::vector<std::string>(many, "met"));
}

TEST(AnIterativeServer, ServesOneAtATime) {
  Serving serving(
      {.design = "iterative"}, {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"},
      [](Connection& client, Notes& notes) -> task<> {
        constexpr Millis moment{1};
        notes.add(++notes.present == 1 ? "alone" : "in company");
        co_await client.sleep(moment);
        --notes.present;
      },
      [](Datagram& request, Notes& notes) -> task<> {
        constexpr Millis moment{1};
        notes.add(++notes.present == 1 ? "alone" : "in company");
        co_await request.sleep(moment);
        --notes.present;
      });
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(serving.client(0));
    clients.push_back(serving.client(1));
    ASSERT_TRUE(send_text(clients.back(), "?"));
  }
  EXPECT_TRUE(soon([&] { return serving.notes.count() == 20; }));
  EXPECT_EQ(serving.notes.all(), std::vector<std::string>(20, "alone"));
  EXPECT_EQ(serving.hosted->level.peak(), 1);
}
