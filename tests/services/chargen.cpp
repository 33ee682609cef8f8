#include <set>

#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// RFC 864's popular pattern, one character after the other.
char expected_at(std::size_t position) {
  constexpr std::size_t columns = 72, printables = 95;
  const auto line = position / (columns + 2), column = position % (columns + 2);
  if (column == columns) return '\r';
  if (column == columns + 1) return '\n';
  return static_cast<char>(' ' + (line + column) % printables);
}

std::string expected(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = expected_at(i);
  return text;
}

}  // namespace

TEST(Chargen, BeginsWithTheLineOfTheRfc) {
  const Talk talk("chargen");
  EXPECT_EQ(read_bytes(talk.client, 74).substr(0, 74),
            " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n");
}

TEST(Chargen, GoesRoundTheRingForEver) {
  const Talk talk("chargen");
  // The ring is 95 lines of 74; these are a few times round, and not a whole number of them.
  const auto text = read_bytes(talk.client, 95 * 74 * 5 + 1'234);
  EXPECT_EQ(text, expected(text.size()));
}

TEST(Chargen, TakesNoNoticeOfWhatItIsSent) {
  const Talk talk("chargen");
  ASSERT_TRUE(send_text(talk.client, "stop, please"));
  const auto text = read_bytes(talk.client, 10'000);
  EXPECT_EQ(text, expected(text.size()));
}

TEST(Chargen, EndsWhenItsClientIsGone) {
  Talk talk("chargen");
  ASSERT_FALSE(read_bytes(talk.client, 1).empty());
  talk.client.reset();
  EXPECT_TRUE(talk.ended());
}

TEST(Chargen, AnswersADatagramWithUpTo512Characters) {
  std::set<std::size_t> sizes;
  for (int i = 0; i < 300; ++i) {
    const auto answers = answers_of("chargen", "?");
    ASSERT_EQ(answers.size(), 1U);
    ASSERT_LE(answers[0].size(), 512U);
    ASSERT_EQ(answers[0], expected(answers[0].size()));
    sizes.insert(answers[0].size());
  }
  EXPECT_GT(sizes.size(), 100U) << "the length is a random one";
}

TEST(Chargen, AnswersAStrangerWithNoMoreThanItsRoom) {
  for (int i = 0; i < 100; ++i) {
    const auto answers = answers_of("chargen", "?", "192.0.2.1:4000");
    ASSERT_EQ(answers.size(), 1U);
    ASSERT_LE(answers[0].size(), 3U + 64U);
  }
}
