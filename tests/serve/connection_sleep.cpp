#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class Sleeping : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, Sleeping, ::testing::ValuesIn(waiter_names()), name_of_case);

task<> sleeps_long(Connection& client, Notes& notes) {
  constexpr Millis long_time = std::chrono::hours(1);
  notes.add("sleeping");
  const bool slept = co_await client.sleep(long_time);
  notes.add(slept ? "slept" : name_of_end(client));
  // Over for good: none of these waits any more.
  const bool again = co_await client.sleep(long_time);
  const auto chunk = co_await client.read();
  constexpr std::string_view text = "text";
  const bool sent = co_await client.write(text);
  notes.add(again || chunk || sent ? "goes on" : "over");
}

}  // namespace

TEST_P(Sleeping, EndsWhenItsTimeHasCome) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    constexpr Millis moment{20};
    const Time before = Clock::now();
    const bool slept = co_await client.sleep(moment);
    notes.add(slept ? "slept" : name_of_end(client));
    if (Clock::now() - before < moment) notes.add("too short");
    constexpr Millis none{0};
    const bool at_once = co_await client.sleep(none);
    notes.add(at_once ? "slept" : name_of_end(client));
  });
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"slept", "slept"}));
}

TEST_P(Sleeping, IsNotDisturbedByTheClient) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const auto first = co_await client.read();  // registered with its engine from now on
    notes.add(std::string(first.text()));
    constexpr Millis moment{30};
    const bool slept = co_await client.sleep(moment);
    notes.add(slept ? "slept" : name_of_end(client));
    std::string rest;
    while (const auto chunk = co_await client.read()) rest += chunk.text();
    notes.add(rest);
  });
  conversation.begin();
  ASSERT_TRUE(send_text(conversation.client, "one"));
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 1; }));
  ASSERT_TRUE(send_text(conversation.client, "two"));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"one", "slept", "two"}));
}

TEST_P(Sleeping, IsNoSilenceOfTheClients) {
  Limits limits;
  limits.idle = Millis(20);
  Conversation conversation(
      waiter(),
      [](Connection& client, Notes& notes) -> task<> {
        constexpr Millis longer_than_idle{80};
        const bool slept = co_await client.sleep(longer_than_idle);
        const auto chunk = co_await client.read();
        notes.add(slept ? std::string(chunk.text()) : name_of_end(client));
      },
      limits);
  ASSERT_TRUE(send_text(conversation.client, "was here all the time"));
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().at(0), "was here all the time");
}

TEST_P(Sleeping, EndsWhenTheConversationIsCut) {
  Conversation conversation(waiter(), sleeps_long);
  conversation.begin();
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 1; }));
  conversation.cut();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"sleeping", "cut", "over"}));
  EXPECT_EQ(conversation.counted(&Counters::cut), 1U);
}
