#include <algorithm>

#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

void expect_quote(const std::string& text) {
  EXPECT_FALSE(text.empty());
  EXPECT_LE(text.size(), 512U);
  ASSERT_TRUE(text.ends_with("\r\n"));
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  EXPECT_TRUE(std::ranges::all_of(text.substr(0, text.size() - 2), is_printable)) << text;
}

}  // namespace

TEST(Qotd, IsOneQuoteAndTheEnd) {
  Talk talk("qotd");
  expect_quote(everything_from(talk.client));
  EXPECT_TRUE(talk.ended());
}

TEST(Qotd, AnswersAnyDatagramWithAQuote) {
  for (const auto* request : {"", "tell me"}) {
    const auto answers = answers_of("qotd", request);
    ASSERT_EQ(answers.size(), 1U);
    expect_quote(answers[0]);
  }
}

TEST(Qotd, FitsIntoWhatAStrangerGetsForNothing) {
  const auto answers = answers_of("qotd", "", "192.0.2.1:4000");
  ASSERT_EQ(answers.size(), 1U) << "it was longer than the 64 bytes there are";
  expect_quote(answers[0]);
}
