#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class AFailingHandler : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, AFailingHandler, ::testing::ValuesIn(waiter_names()), name_of_case);

void expect_one_failure(const Conversation& conversation) {
  EXPECT_EQ(conversation.counted(&Counters::failed), 1U);
  EXPECT_EQ(conversation.counted(&Counters::served), 0U) << "it is counted once";
  EXPECT_EQ(conversation.hosted->level.count(), 0) << "the seat came back";
}

}  // namespace

TEST_P(AFailingHandler, IsCountedAndItsSeatComesBack) {
  Conversation conversation(waiter(), [](Connection& client, Notes&) -> task<> {
    const auto chunk = co_await client.read();
    throw std::runtime_error("cannot make sense of " + std::string(chunk.text()));
  });
  conversation.begin();
  ASSERT_TRUE(send_text(conversation.client, "nonsense\x1b[2J"));
  ASSERT_TRUE(conversation.ended());
  expect_one_failure(conversation);
  EXPECT_TRUE(is_closed_by_peer(conversation.client));
}

TEST_P(AFailingHandler, MayFailBeforeItsFirstWait) {
  Conversation conversation(waiter(), [](Connection& client, Notes&) -> task<> {
    if (client.bytes_in() == 0) throw 42;
    co_return;
  });
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  expect_one_failure(conversation);
}

TEST_P(AFailingHandler, MayFailBeforeItIsACoroutine) {
  Conversation conversation(waiter(), [](Connection&, Notes&) -> task<> { throw std::runtime_error("no coroutine"); });
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  expect_one_failure(conversation);
}

TEST_P(AFailingHandler, MayCatchWhatATaskItAwaitsThrows) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const StreamScript failing = [](Connection& same, Notes&) -> task<> {
      constexpr Millis moment{1};
      co_await same.sleep(moment);
      throw std::runtime_error("below");
    };
    try {
      co_await failing(client, notes);
    } catch (const std::runtime_error& error) {
      notes.add(error.what());
    }
    constexpr std::string_view answer = "sorry";
    co_await client.write(answer);
  });
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client), "sorry");
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().at(0), "below");
  EXPECT_EQ(conversation.counted(&Counters::failed), 0U);
}
