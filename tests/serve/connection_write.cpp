#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class Writing : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, Writing, ::testing::ValuesIn(waiter_names()), name_of_case);

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

}  // namespace

TEST_P(Writing, SendsAllOfIt) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const std::string text = pattern(5'000'000);
    const bool sent = co_await client.write(text);
    notes.add(sent ? "sent" : name_of_end(client));
  });
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client), pattern(5'000'000));
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().at(0), "sent");
  EXPECT_EQ(conversation.counted(&Counters::bytes_out), 5'000'000U);
}

TEST_P(Writing, NothingSucceedsAtOnce) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const std::span<const std::byte> nothing;
    const bool first = co_await client.write(nothing);
    constexpr std::string_view something = "something";
    co_await client.write(something);
    const bool second = co_await client.write(nothing);
    notes.add(first && second ? "sent" : name_of_end(client));
  });
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client), "something");
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), std::vector<std::string>{"sent"});
}

TEST_P(Writing, IsPossibleAfterTheClientHasFinished) {
  Conversation conversation(waiter(), [](Connection& client, Notes&) -> task<> {
    while (const auto chunk = co_await client.read()) static_cast<void>(chunk);
    constexpr std::string_view answer = "all received";
    co_await client.write(answer);
  });
  conversation.begin();
  ::shutdown(conversation.client.fd(), SHUT_WR);
  EXPECT_EQ(everything_from(conversation.client), "all received");
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.counted(&Counters::served), 1U);
}

TEST_P(Writing, IsFalseForGoodWhenTheClientBreaksOff) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const std::string text = pattern(100'000);
    while (co_await client.write(text)) {
    }
    notes.add(name_of_end(client));
    const std::span<const std::byte> nothing;
    const bool sent = co_await client.write(nothing);
    notes.add(sent ? "sent" : "refused");
    const auto chunk = co_await client.read();
    notes.add(chunk ? "chunk" : "no chunk");
  });
  conversation.begin();
  ASSERT_TRUE(is_readable(conversation.client));
  conversation.client.close_with_reset();
  conversation.client.reset();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"reset", "refused", "no chunk"}));
  EXPECT_EQ(conversation.counted(&Counters::reset_by_client), 1U);
  EXPECT_EQ(conversation.counted(&Counters::served), 0U);
}

TEST_P(Writing, CanBeFinishedWhileReadingGoesOn) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    constexpr std::string_view answer = "that was all";
    co_await client.write(answer);
    client.finish_writing();
    while (auto chunk = co_await client.read()) notes.add(std::string(chunk.text()));
  });
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client), "that was all");
  ASSERT_TRUE(send_text(conversation.client, "not from me"));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"not from me"}));
}

TEST_P(Writing, EchoesALotBothWaysAtOnce) {
  Conversation conversation(waiter(), [](Connection& client, Notes&) -> task<> {
    while (auto chunk = co_await client.read())
      if (!co_await client.write(chunk)) break;
  });
  conversation.begin();
  const auto much = pattern(4'000'000);
  std::jthread sending([&] {
    EXPECT_TRUE(send_text(conversation.client, much));
    ::shutdown(conversation.client.fd(), SHUT_WR);
  });
  EXPECT_EQ(everything_from(conversation.client), much);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.counted(&Counters::bytes_in), much.size());
  EXPECT_EQ(conversation.counted(&Counters::bytes_out), much.size());
}
