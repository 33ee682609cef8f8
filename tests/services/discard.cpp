#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

TEST(Discard, AnswersNothingAndEndsWithItsClient) {
  Talk talk("discard");
  ASSERT_TRUE(send_text(talk.client, std::string(1'000'000, 'x')));
  talk.finish();
  EXPECT_EQ(everything_from(talk.client), "");
  EXPECT_TRUE(talk.ended());
  EXPECT_EQ(talk.hosted->counters.bytes_in.value(), 1'000'000U);
}

TEST(Discard, AnswersNoDatagram) {
  EXPECT_TRUE(answers_of("discard", "hello").empty());
  EXPECT_TRUE(answers_of("discard", "").empty());
}
