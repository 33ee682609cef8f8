#include <array>

#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class Reading : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, Reading, ::testing::ValuesIn(waiter_names()), name_of_case);

task<> notes_each_chunk(Connection& client, Notes& notes) {
  while (auto chunk = co_await client.read()) notes.add(std::string(chunk.text()));
  notes.add(name_of_end(client));
}

/// A number of messages of three bytes.
task<> reads_by_three(Connection& client, Notes& notes) {
  std::array<std::byte, 3> message;
  const std::span<std::byte> room(message);
  while (co_await client.read_exactly(room)) notes.add({reinterpret_cast<const char*>(message.data()), message.size()});
  notes.add(name_of_end(client));
}

}  // namespace

TEST_P(Reading, LendsWhatTheClientSent) {
  Conversation conversation(waiter(), notes_each_chunk);
  conversation.begin();
  ASSERT_TRUE(send_text(conversation.client, "one"));
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 1; }));
  ASSERT_TRUE(send_text(conversation.client, std::string_view("\0two", 4)));
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 2; }));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{
                                          "one", {"\0two", 4},
                                           "finished"
  }));
  EXPECT_EQ(conversation.counted(&Counters::bytes_in), 7U);
}

TEST_P(Reading, LendsAllOfALotInOrder) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    std::size_t total = 0;
    bool in_order = true;
    while (auto chunk = co_await client.read())
      for (const char c : chunk.text()) in_order = in_order && c == static_cast<char>(total++ % 251);
    notes.add(std::to_string(total) + (in_order ? " in order" : " mixed up"));
  });
  conversation.begin();
  std::string much(3'000'000, ' ');
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<char>(i % 251);
  ASSERT_TRUE(send_text(conversation.client, much));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().at(0), "3000000 in order");
}

TEST_P(Reading, IsOverForGoodWhenItIsOver) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    for (int i = 0; i < 3; ++i) {
      const auto chunk = co_await client.read();
      notes.add(chunk ? "chunk" : name_of_end(client));
    }
  });
  conversation.begin();
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"finished", "finished", "finished"}));
  EXPECT_EQ(conversation.counted(&Counters::served), 1U);
}

TEST_P(Reading, ExactlyIsFilledFromManyChunks) {
  Conversation conversation(waiter(), reads_by_three);
  conversation.begin();
  for (const auto* part : {"a", "b", "cd"}) {
    ASSERT_TRUE(send_text(conversation.client, part));
    std::this_thread::yield();
  }
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 1; }));
  ASSERT_TRUE(send_text(conversation.client, "ef"));
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 2; }));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"abc", "def", "finished"}));
}

TEST_P(Reading, ExactlyIsFilledManyTimesFromOneChunk) {
  Conversation conversation(waiter(), reads_by_three);
  ASSERT_TRUE(send_text(conversation.client, "abcdefghi?"));
  conversation.begin();
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"abc", "def", "ghi", "finished"}));
}

TEST_P(Reading, ExactlyNothingNeedsNoClient) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const std::span<std::byte> nothing;
    const bool filled = co_await client.read_exactly(nothing);
    notes.add(filled ? "filled" : "ended");
  });
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().at(0), "filled");
}

TEST_P(Reading, ReturnsWhatReadingExactlyLeft) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    std::array<std::byte, 2> head;
    const std::span<std::byte> room(head);
    if (!co_await client.read_exactly(room)) notes.add("too short");
    // Writing and sleeping in between take nothing away.
    constexpr std::string_view answer = "go on";
    constexpr Millis moment{1};
    if (!co_await client.write(answer) || !co_await client.sleep(moment)) notes.add("gone");
    co_await notes_each_chunk(client, notes);
  });
  ASSERT_TRUE(send_text(conversation.client, "hhbody"));
  conversation.begin();
  EXPECT_EQ(received_text(conversation.client), "go on");
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 1; }));
  ASSERT_TRUE(send_text(conversation.client, "more"));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"body", "more", "finished"}));
  EXPECT_EQ(conversation.counted(&Counters::bytes_in), 10U);
}
