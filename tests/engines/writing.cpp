#include <numeric>

#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AWriter);

TEST_P(AWriter, SendsAll) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_write(engine(), request, "short");
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_EQ(receive_now(pair.client), "short");
}

TEST_P(AWriter, AnswersWhoItHasHeard) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  for (int i = 0; i < 10; ++i) {
    start_read(engine(), request);
    turn_some();
    const auto text = "message " + std::to_string(i);
    ASSERT_TRUE(send_text(pair.client, text));
    ASSERT_TRUE(turn_until_done(request));
    const auto answer = request.got + "!";
    start_write(engine(), request, answer);
    ASSERT_TRUE(turn_until_done(request));
    ASSERT_EQ(request.outcome, Outcome::done);
    EXPECT_EQ(receive_now(pair.client), text + "!");
  }
}

TEST_P(AWriter, SendsInPartsToASlowReader) {
  Pair& pair = keep(tcp_pair());
  const std::string sent = pattern(16'000'000);
  Request& request = request_for(pair.ours);
  start_write(engine(), request, sent);
  turn_some();
  ASSERT_FALSE(request.is_done()) << "more than the socket buffers hold";
  std::string got;
  ASSERT_TRUE(turn_until([&] {
    got += receive_now(pair.client, 2'000'000);
    return got.size() == sent.size();
  }));
  ASSERT_TRUE(request.is_done());
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_TRUE(got == sent) << got.size() << " bytes";
  EXPECT_GT(request.parts.size(), 1U);
  EXPECT_EQ(std::accumulate(request.parts.begin(), request.parts.end(), std::size_t{0}), sent.size());
}

// The same when it waits for its client's words meanwhile: what is sent in a dialogue may take another way.
TEST_P(AWriter, WaitsForRoomInADialogue) {
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, "go"));
  ASSERT_TRUE(turn_until_done(request));
  const auto before = stuff(pair.ours);
  const std::string text = pattern(1'000);
  start_write(engine(), request, text);
  turn_some();
  ASSERT_FALSE(request.is_done());
  std::string got;
  ASSERT_TRUE(turn_until([&] {
    got += drain(pair.client);
    return request.is_done() && got.size() == before + text.size();
  }));
  EXPECT_EQ(request.outcome, Outcome::done);
  EXPECT_EQ(got.substr(before), text);
}

TEST_P(AWriter, FailsWhenTheClientIsGone) {
  for (const bool in_a_dialogue : {false, true}) {
    Pair& pair = keep(tcp_pair());
    Request& request = request_for(pair.ours);
    if (in_a_dialogue) {
      start_read(engine(), request);
      turn_some();
      ASSERT_TRUE(send_text(pair.client, "bye"));
      ASSERT_TRUE(turn_until_done(request));
    }
    reset(pair.client);
    start_write(engine(), request, "anybody?");
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.outcome, Outcome::failed);
    EXPECT_TRUE(request.error == EPIPE || request.error == ECONNRESET) << request.error;
  }
}

TEST_P(AWriter, FailsWhenTheClientGoesWhileItWaits) {
  Pair& pair = keep(tcp_pair());
  stuff(pair.ours);
  Request& request = request_for(pair.ours);
  start_write(engine(), request, "no room");
  turn_some();
  ASSERT_FALSE(request.is_done());
  reset(pair.client);
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.outcome, Outcome::failed);
}
