#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class AHandler : public EveryWayAndTransport {};
INSTANTIATE_TEST_SUITE_P(Under, AHandler, with_transports(ways_to_serve()), name_of_combination);

}  // namespace

TEST_P(AHandler, ServesOneClientAfterAnother) {
  Serving serving(way(), {where()}, echoes_stream, echoes_datagram);
  for (int i = 0; i < 5; ++i) {
    const auto client = serving.client();
    for (const auto* text : {"hello", "and again"}) {
      ASSERT_TRUE(send_text(client, text));
      ASSERT_EQ(received_text(client), text);
    }
  }
  EXPECT_EQ(serving.counted(&Counters::failed), 0U);
}

TEST_P(AHandler, ServesManyClientsThatComeAtOnce) {
  Limits limits;
  limits.level = limits.per_client = 40;
  Serving serving(way(), {where()}, echoes_stream, echoes_datagram, limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(serving.client());
    ASSERT_TRUE(send_text(clients.back(), std::to_string(i)));
    if (!is_datagrams()) ::shutdown(clients.back().fd(), SHUT_WR);
  }
  for (int i = 0; i < 30; ++i)
    EXPECT_EQ(received_text(clients[static_cast<std::size_t>(i)]), std::to_string(i)) << "client " << i;
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::served) == 30; }));
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
}

TEST_P(AHandler, ThatThrowsEndsItsConversationAlone) {
  Serving serving(
      way(), {where()},
      [](Connection& client, Notes&) -> task<> {
        const auto chunk = co_await client.read();
        if (chunk.text() == "throw") throw std::runtime_error("as it was told");
        co_await client.write(chunk);
      },
      [](Datagram& request, Notes&) -> task<> {
        if (request.bytes().size() == 5) throw std::runtime_error("as it was told");
        request.reply(request.bytes());
        co_return;
      });
  for (int i = 0; i < 3; ++i) {
    const auto unlucky = serving.client(), lucky = serving.client();
    ASSERT_TRUE(send_text(unlucky, "throw"));
    ASSERT_TRUE(send_text(lucky, "serve me"));
    EXPECT_EQ(received_text(lucky), "serve me");
  }
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::failed) == 3; }));
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
}

TEST_P(AHandler, IsNeverAtWorkMoreOftenThanTheLevel) {
  Limits limits;
  limits.level = limits.per_client = 3;
  auto narrow = way();
  narrow.workers = 6;
  Serving serving(
      narrow, {where()},
      [](Connection& client, Notes& notes) -> task<> {
        constexpr Millis moment{2};
        if (++notes.present > 3) notes.add("too many");
        co_await client.sleep(moment);
        --notes.present;
        ++notes.finished;
      },
      [](Datagram& request, Notes& notes) -> task<> {
        constexpr Millis moment{2};
        if (++notes.present > 3) notes.add("too many");
        co_await request.sleep(moment);
        --notes.present;
        ++notes.finished;
      },
      limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(serving.client());
    if (is_datagrams()) {
      ASSERT_TRUE(send_text(clients.back(), "?"));
    }
  }
  EXPECT_TRUE(soon(
      [&] { return serving.notes.finished + static_cast<int>(serving.counted(&Counters::dropped_client)) == 20; }));
  EXPECT_EQ(serving.notes.count(), 0U);
  EXPECT_LE(serving.hosted->level.peak(), 3);
}
