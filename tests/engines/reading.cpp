#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AReader);

TEST_P(AReader, GetsWhatWasThereBeforeItAsked) {
  Pair& pair = keep(unix_pair());
  ASSERT_TRUE(send_text(pair.client, "early"));
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_EQ(request.got, "early");
}

TEST_P(AReader, GetsWhatComesLater) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  for (const auto* text : {"one", "two", "three"}) {
    start_read(engine(), request);
    turn_some();
    EXPECT_FALSE(request.is_done());
    ASSERT_TRUE(send_text(pair.client, text));
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.got, text);
  }
}

TEST_P(AReader, SeesTheEndAgainAndAgain) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "last words"));
  ::shutdown(pair.client.fd(), SHUT_WR);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.got, "last words");
  for (int i = 0; i < 3; ++i) {
    start_read(engine(), request);
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.outcome, Outcome::end_of_stream);
  }
}

TEST_P(AReader, SeesAReset) {
  for (const bool waits_before : {false, true}) {
    Pair& pair = keep(tcp_pair());
    Request& request = request_for(pair.ours);
    if (waits_before) {
      start_read(engine(), request);
      turn_some();
    }
    reset(pair.client);
    if (!waits_before) start_read(engine(), request);
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.outcome, Outcome::failed);
    EXPECT_EQ(request.error, ECONNRESET);
  }
}

TEST_P(AReader, GetsTheAnswersOfAHalfClosedClient) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ::shutdown(pair.client.fd(), SHUT_WR);
  ASSERT_TRUE(turn_until_done(request));
  ASSERT_EQ(request.outcome, Outcome::end_of_stream);
  start_write(engine(), request, "still here");
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_EQ(receive_now(pair.client), "still here");
}

// From single bytes to more than any buffer, small and large in turns: an engine may change how it receives.
TEST_P(AReader, GetsAllBytesInTheirOrder) {
  Pair& pair = keep(tcp_pair());
  const std::string sent = pattern(12'000'000);
  Request& request = request_for(pair.ours);
  read_to_end(engine(), request);
  std::jthread client([&] {
    std::size_t at = 0;
    const std::size_t sizes[] = {1, 64, 7, 4'096, 8'192, 100, 1'000'000, 3, 64, 64, 64, 64, 64, 64, 64, 64, 64, 65'536};
    for (std::size_t i = 0; at < sent.size(); ++i) {
      const auto size = std::min(sizes[i % std::size(sizes)], sent.size() - at);
      if (!send_text(pair.client, std::string_view(sent).substr(at, size))) break;
      at += size;
      if (i % 5 == 0) std::this_thread::yield();
    }
    ::shutdown(pair.client.fd(), SHUT_WR);
  });
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::end_of_stream);
  EXPECT_TRUE(request.got == sent) << request.got.size() << " bytes";
}

TEST_P(AReader, MayBeOneOfVeryMany) {
  constexpr std::size_t many = 400;
  std::vector<Pair*> pairs;
  std::vector<Request*> requests;
  for (std::size_t i = 0; i < many; ++i) {
    pairs.push_back(&keep(unix_pair()));
    requests.push_back(&request_for(pairs[i]->ours));
    start_read(engine(), *requests[i]);
  }
  turn_some();
  // All at once: more than there are events in a turn, or buffers in a ring.
  for (std::size_t i = 0; i < many; ++i) ASSERT_TRUE(send_text(pairs[i]->client, "client " + std::to_string(i)));
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_TRUE(turn_until_done(*requests[i])) << i;
    EXPECT_EQ(requests[i]->got, "client " + std::to_string(i));
  }
}
