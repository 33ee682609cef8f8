#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

TEST(Echo, SendsBackWhatItIsSent) {
  const Talk talk("echo");
  for (const auto& text : {std::string("hello\r\n"), std::string("\0\xff\n", 3), std::string(50'000, 'x')}) {
    ASSERT_TRUE(send_text(talk.client, text));
    ASSERT_EQ(read_bytes(talk.client, text.size()), text);
  }
}

TEST(Echo, FinishesAfterTheClientHas) {
  Talk talk("echo");
  ASSERT_TRUE(send_text(talk.client, "last words"));
  talk.finish();
  EXPECT_EQ(everything_from(talk.client), "last words");
  EXPECT_TRUE(talk.ended());
}

TEST(Echo, EndsWhenItsClientIsGone) {
  Talk talk("echo");
  talk.client.close_with_reset();
  talk.client.reset();
  EXPECT_TRUE(talk.ended());
}

TEST(Echo, SendsBackADatagramOfEachLength) {
  for (const auto size : {0U, 1U, 512U, 1472U, 1473U, 9000U, 65'507U}) {
    const std::string text(size, 'e');
    EXPECT_EQ(answers_of("echo", text), std::vector{text}) << size;
    EXPECT_EQ(answers_of("echo", text, "192.0.2.1:4000"), std::vector{text}) << size << " from a stranger";
  }
}
