#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class Lingering : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, Lingering, ::testing::ValuesIn(waiter_names()), name_of_case);

/// Reads a little, answers, and ends, whatever else the client has to say.
task<> answers_and_ends(Connection& client, Notes&) {
  const auto chunk = co_await client.read();
  static_cast<void>(chunk);
  const std::string answer(100'000, 'a');
  co_await client.write(answer);
}

Limits with_linger(Millis linger) {
  Limits limits;
  limits.linger = linger;
  return limits;
}

}  // namespace

TEST_P(Lingering, LetsAnAnswerArriveThoughTheClientGoesOnSending) {
  Conversation conversation(waiter(), answers_and_ends);
  ASSERT_TRUE(send_text(conversation.client, std::string(200'000, 'q')));
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client).size(), 100'000U);
  EXPECT_TRUE(send_text(conversation.client, "not reset yet"));
  ::shutdown(conversation.client.fd(), SHUT_WR);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.counted(&Counters::served), 1U);
  EXPECT_EQ(conversation.counted(&Counters::timed_out_linger), 0U);
}

TEST_P(Lingering, DoesNotWaitWhenAllWasRead) {
  // Nothing is unread, so that closing resets nothing; a client that stays silent must not keep the seat for `linger`.
  Conversation conversation(
      waiter(),
      [](Connection& client, Notes&) -> task<> {
        constexpr std::string_view answer = "answer";
        co_await client.write(answer);
      },
      with_linger(std::chrono::hours(1)));
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(everything_from(conversation.client), "answer");
}

TEST_P(Lingering, EndsWithAClientThatJustStays) {
  Conversation conversation(waiter(), answers_and_ends, with_linger(Millis(50)));
  ASSERT_TRUE(send_text(conversation.client, std::string(200'000, 'q')));
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client).size(), 100'000U);
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.counted(&Counters::timed_out_linger), 1U);
  EXPECT_EQ(conversation.counted(&Counters::served), 1U);
}

TEST_P(Lingering, IsNotStretchedByAClientThatTrickles) {
  Conversation conversation(waiter(), answers_and_ends, with_linger(Millis(50)));
  ASSERT_TRUE(send_text(conversation.client, std::string(200'000, 'q')));
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client).size(), 100'000U);
  std::jthread trickling([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && ::send(conversation.client.fd(), "x", 1, MSG_NOSIGNAL) == 1)
      std::this_thread::sleep_for(Millis{2});
  });
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.counted(&Counters::timed_out_linger), 1U);
}

TEST_P(Lingering, ReadsAMegabyteAndNotAFlood) {
  Conversation conversation(waiter(), answers_and_ends, with_linger(std::chrono::hours(1)));
  conversation.begin();
  std::jthread flooding([&] {
    const std::string much(100'000, 'q');
    while (send_text(conversation.client, much)) {
    }
  });
  EXPECT_TRUE(conversation.ended()) << "it stays as long as the flood";
  ::shutdown(conversation.client.fd(), SHUT_RDWR);
}

TEST_P(Lingering, IsCutByTheEndOfADrain) {
  Conversation conversation(waiter(), answers_and_ends, with_linger(std::chrono::hours(1)));
  ASSERT_TRUE(send_text(conversation.client, std::string(200'000, 'q')));
  conversation.begin();
  EXPECT_EQ(everything_from(conversation.client).size(), 100'000U);
  conversation.cut();
  ASSERT_TRUE(conversation.ended());
}
