#include <algorithm>

#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class AConversation : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, AConversation, ::testing::ValuesIn(waiter_names()), name_of_case);

task<> reads_to_the_end(Connection& client, Notes& notes) {
  notes.add("reading");
  while (const auto chunk = co_await client.read()) static_cast<void>(chunk);
  notes.add(name_of_end(client));
}

/// Writes until it may not any more.
task<> writes_for_ever(Connection& client, Notes& notes) {
  const std::string text(10'000, 'x');
  for (bool sent = true; sent;) sent = co_await client.write(text);
  notes.add(name_of_end(client));
}

Limits with(Millis idle, Millis total = std::chrono::hours(1)) {
  Limits limits;
  limits.idle = idle;
  limits.total = total;
  return limits;
}

bool is_reading(const Notes& notes) { return notes.count() == 1; }

}  // namespace

TEST_P(AConversation, IsFinishedWhenTheClientHasSentAll) {
  Conversation conversation(waiter(), reads_to_the_end);
  conversation.begin();
  ASSERT_TRUE(send_text(conversation.client, "bye"));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "finished");
  EXPECT_EQ(conversation.counted(&Counters::served), 1U);
}

TEST_P(AConversation, IsResetWhenTheClientBreaksOffWhileWeRead) {
  Conversation conversation(waiter(), reads_to_the_end);
  conversation.begin();
  ASSERT_TRUE(soon([&] { return is_reading(conversation.notes); }));
  conversation.client.close_with_reset();
  conversation.client.reset();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "reset");
  EXPECT_EQ(conversation.counted(&Counters::reset_by_client), 1U);
  EXPECT_EQ(conversation.counted(&Counters::served), 0U);
}

TEST_P(AConversation, IsResetWhenTheClientBrokeOffBeforeItBegan) {
  Conversation conversation(waiter(), reads_to_the_end);
  conversation.client.close_with_reset();
  conversation.client.reset();
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "reset");
}

TEST_P(AConversation, IsIdleWhenTheClientSaysNothing) {
  Conversation conversation(waiter(), reads_to_the_end, with(Millis(50)));
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "idle");
  EXPECT_EQ(conversation.counted(&Counters::timed_out_idle), 1U);
  EXPECT_TRUE(is_closed_by_peer(conversation.client));
}

TEST_P(AConversation, EndsWhenTheClientTakesNothing) {
  Conversation conversation(waiter(), writes_for_ever, with(Millis(100)));
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.counted(&Counters::timed_out_idle) + conversation.counted(&Counters::timed_out_slow), 1U);
  EXPECT_TRUE(is_readable(conversation.client));
}

TEST_P(AConversation, IsSlowWhenTheClientTrickles) {
  auto limits = with(Millis(500));
  limits.min_rate = 1'000'000;
  Conversation conversation(waiter(), reads_to_the_end, limits);
  conversation.begin();
  std::jthread trickling([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && ::send(conversation.client.fd(), "x", 1, MSG_NOSIGNAL) == 1)
      std::this_thread::sleep_for(Millis{2});
  });
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "slow");
  EXPECT_EQ(conversation.counted(&Counters::timed_out_slow), 1U);
}

TEST_P(AConversation, IsTooLongHoweverBusyTheClientIs) {
  Conversation conversation(waiter(), reads_to_the_end, with(std::chrono::minutes(1), Millis(100)));
  conversation.begin();
  std::jthread sending([&](const std::stop_token& stop) {
    const std::string much(10'000, 'x');
    while (!stop.stop_requested() && send_text(conversation.client, much)) {
    }
  });
  ASSERT_TRUE(conversation.ended());
  ::shutdown(conversation.client.fd(), SHUT_RDWR);
  EXPECT_EQ(conversation.notes.all().back(), "too long");
  EXPECT_EQ(conversation.counted(&Counters::timed_out_total), 1U);
}

TEST_P(AConversation, IsTooLongHoweverMuchTheClientTakes) {
  Conversation conversation(waiter(), writes_for_ever, with(std::chrono::minutes(1), Millis(100)));
  conversation.begin();
  std::jthread taking([&] { everything_from(conversation.client); });
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "too long");
}

TEST_P(AConversation, IsTooLongEvenWhenItNeverWaitsForTheClient) {
  Conversation conversation(
      waiter(),
      [](Connection& client, Notes& notes) -> task<> {
        constexpr std::string_view tick = "tick\n";
        constexpr Millis pause{5};
        bool both = true;
        while (both) {
          both = co_await client.write(tick);
          if (both) both = co_await client.sleep(pause);
        }
        notes.add(name_of_end(client));
      },
      with(std::chrono::minutes(1), Millis(100)));
  conversation.begin();
  std::jthread taking([&] { everything_from(conversation.client); });
  EXPECT_TRUE(conversation.ended());
  if (conversation.notes.count() == 0) conversation.cut();
  taking.join();
  EXPECT_EQ(conversation.counted(&Counters::timed_out_total), 1U);
}

TEST_P(AConversation, IsCutWhileItReads) {
  Conversation conversation(waiter(), reads_to_the_end);
  conversation.begin();
  ASSERT_TRUE(soon([&] { return is_reading(conversation.notes); }));
  conversation.hosted->level.cut_all();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "cut");
  EXPECT_EQ(conversation.counted(&Counters::cut), 1U);
  EXPECT_EQ(conversation.counted(&Counters::served), 0U);
}

TEST_P(AConversation, IsCutWhileItWrites) {
  Conversation conversation(waiter(), writes_for_ever);
  conversation.begin();
  ASSERT_TRUE(is_readable(conversation.client));
  conversation.hosted->level.cut_all();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "cut");
  EXPECT_EQ(conversation.counted(&Counters::cut), 1U);
}

TEST_P(AConversation, IsCutBeforeItBegins) {
  Conversation conversation(waiter(), reads_to_the_end);
  conversation.hosted->level.cut_all();
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "cut");
}

TEST_P(AConversation, KnowsBothItsEnds) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    notes.add(client.peer().text());
    notes.add(client.local().text());
    co_return;
  });
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  Endpoint peer;
  socklen_t size = Endpoint::capacity;
  ASSERT_EQ(::getpeername(conversation.client.fd(), peer.address(), &size), 0);
  peer.set_size(size);
  EXPECT_EQ(conversation.notes.all(), (std::vector{local_endpoint(conversation.client)->text(), peer.text()}));
}

TEST(EveryEnd, HasAWordOfItsOwn) {
  std::vector<std::string_view> words;
  for (const auto end :
       {End::not_yet, End::finished, End::reset, End::idle, End::slow, End::too_long, End::drained, End::no_room})
    words.push_back(name_of(end));
  std::ranges::sort(words);
  EXPECT_EQ(std::ranges::adjacent_find(words), words.end());
  EXPECT_EQ(std::ranges::find(words, "?"), words.end());
}
