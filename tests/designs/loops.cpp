#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::vector<DesignSettings> two_loops() {
  auto ways = ways_to_serve();
  std::erase_if(ways, [](const auto& way) { return !find_design(way.design)->uses_loops; });
  for (auto& way : ways) way.loops = 2;
  return ways;
}

class TwoLoops : public EveryWay {};
INSTANTIATE_TEST_SUITE_P(Under, TwoLoops, ::testing::ValuesIn(two_loops()), name_of_case);

}  // namespace

TEST_P(TwoLoops, AreTwoThreads) {
  const auto before = threads_of_this_process();
  Serving serving(way(), {"tcp/127.0.0.1:0"}, echoes_stream);
  // An engine may have threads of the kernel's besides, which show up here.
  EXPECT_GE(threads_of_this_process(), before + 2);
}

TEST_P(TwoLoops, ServeWhileOneOfThemComputes) {
  // The second client comes when the first one has a loop to itself.
  Serving serving(way(), {"tcp/127.0.0.1:0"}, meets_others_computing<2>);
  const auto first = serving.client();
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  const auto second = serving.client();
  ASSERT_TRUE(soon([&] { return serving.notes.count() == 2; }));
  EXPECT_EQ(serving.notes.all(), (std::vector<std::string>{"met", "met"}));
}

TEST_P(TwoLoops, ShareOneLevelExactly) {
  Limits limits;
  limits.level = limits.per_client = 3;
  Serving serving(
      way(), {"tcp/127.0.0.1:0"},
      [](Connection& client, Notes& notes) -> task<> {
        constexpr Millis moment{1};
        if (++notes.present > 3) notes.add("too many");
        co_await client.sleep(moment);
        --notes.present;
        ++notes.finished;
      },
      nullptr, limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 60; ++i) clients.push_back(serving.client());
  EXPECT_TRUE(soon([&] { return serving.notes.finished == 60; }));
  EXPECT_EQ(serving.notes.count(), 0U);
  EXPECT_LE(serving.hosted->level.peak(), 3);
}

TEST_P(TwoLoops, AnswerEveryDatagramOnce) {
  Serving serving(way(), {"udp/127.0.0.1:0"}, nullptr, echoes_datagram);
  const auto client = serving.client();
  std::vector<std::string> answers;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(send_text(client, std::to_string(i)));
  }
  for (int i = 0; i < 100; ++i) answers.push_back(received_text(client).value_or("none"));
  std::ranges::sort(answers);
  EXPECT_EQ(std::ranges::adjacent_find(answers), answers.end());
  EXPECT_EQ(serving.counted(&Counters::served), 100U);
}
