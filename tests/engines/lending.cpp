#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(ALentBuffer);

TEST_P(ALentBuffer, StaysWhileItIsWrittenBack) {
  Pair& pair = keep(tcp_pair());
  Pair& other = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  Request& meanwhile = request_for(other.ours);
  const std::string sent = pattern(5'000);
  start_read(engine(), request);
  turn_some();
  ASSERT_TRUE(send_text(pair.client, sent));
  ASSERT_TRUE(turn_until_done(request));
  const auto lent = request.bytes;
  const auto before = text_of(lent);
  const auto stuffed = stuff(pair.ours);
  start_write(engine(), request, std::string_view(reinterpret_cast<const char*>(lent.data()), lent.size()));
  for (int i = 0; i < 20; ++i) {
    start_read(engine(), meanwhile);
    ASSERT_TRUE(send_text(other.client, std::string(5'000, '#')));
    ASSERT_TRUE(turn_until_done(meanwhile));
  }
  ASSERT_FALSE(request.is_done());
  EXPECT_EQ(text_of(lent), before);
  std::string got;
  ASSERT_TRUE(turn_until([&] {
    got += drain(pair.client);
    return request.is_done() && got.size() == stuffed + before.size();
  }));
  EXPECT_EQ(got.substr(stuffed), before);
}

TEST_P(ALentBuffer, StaysWhileItsHandlerSleeps) {
  Pair& pair = keep(unix_pair());
  Pair& other = keep(unix_pair());
  Request& request = request_for(pair.ours);
  Request& meanwhile = request_for(other.ours);
  start_read(engine(), request);
  ASSERT_TRUE(send_text(pair.client, "keep this"));
  ASSERT_TRUE(turn_until_done(request));
  const auto lent = request.bytes;
  start(engine(), request, Kind::sleep, Clock::now() + Millis{30});
  ASSERT_TRUE(send_text(pair.client, "and not that"));
  ASSERT_TRUE(turn_until([&] {
    if (meanwhile.kind == Kind::none) start_read(engine(), meanwhile);
    (void)send_text(other.client, "something else");
    return request.is_done();
  }));
  EXPECT_EQ(text_of(lent), "keep this");
}

// More handlers keep what they have read than there are buffers in any pool. All are served, and nothing spins.
TEST_P(ALentBuffer, MayBeKeptByVeryMany) {
  constexpr std::size_t many = 400;
  std::vector<Pair*> pairs;
  std::vector<Request*> requests;
  for (std::size_t i = 0; i < many; ++i) {
    pairs.push_back(&keep(unix_pair()));
    requests.push_back(&request_for(pairs[i]->ours));
  }
  for (int round = 0; round < 3; ++round) {
    for (auto* request : requests) start_read(engine(), *request);
    turn_some();
    for (std::size_t i = 0; i < many; ++i)
      ASSERT_TRUE(send_text(pairs[i]->client, std::to_string(round) + " of " + std::to_string(i)));
    for (std::size_t i = 0; i < many; ++i) ASSERT_TRUE(turn_until_done(*requests[i])) << i;
    for (std::size_t i = 0; i < many; ++i)
      EXPECT_EQ(text_of(requests[i]->bytes), std::to_string(round) + " of " + std::to_string(i));
  }
  Pair& late = keep(unix_pair());
  Request& request = request_for(late.ours);
  start_read(engine(), request, Clock::now() + Millis{100});
  int turns = 0;
  for (; !request.is_done(); ++turns) engine().turn(never);
  EXPECT_EQ(request.outcome, Outcome::timed_out);
  EXPECT_LE(turns, 60) << "spins for want of a buffer";
  for (auto* one : requests) engine().forget(*one);
  start_read(engine(), request);
  ASSERT_TRUE(send_text(late.client, "room again"));
  ASSERT_TRUE(turn_until_done(request));
  EXPECT_EQ(request.got, "room again");
}
