#include <ctime>

#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Seconds since 1970 as far as 32 bits since 1900 tell them: the era is that of this machine's clock.
std::time_t time_told_by(const std::string& answer, std::time_t near) {
  if (answer.size() != 4) return -1;
  std::uint32_t since_1900 = 0;
  for (const char byte : answer) since_1900 = since_1900 << 8 | static_cast<unsigned char>(byte);
  const auto now_since_1900 = static_cast<std::uint32_t>(static_cast<std::uint64_t>(near) + 2'208'988'800U);
  return near + static_cast<std::int32_t>(since_1900 - now_since_1900);
}

}  // namespace

TEST(Time, IsFourBytesMostSignificantFirst) {
  Talk talk("time");
  const auto answer = everything_from(talk.client);
  const auto now = std::time(nullptr);
  ASSERT_EQ(answer.size(), 4U);
  EXPECT_LE(time_told_by(answer, now), now);
  EXPECT_GE(time_told_by(answer, now), now - patience_ms / 1000);
  EXPECT_TRUE(talk.ended());
}

TEST(Time, AnswersAnyDatagramWithTheFourBytes) {
  for (const auto* request : {"", "when"}) {
    const auto before = std::time(nullptr);
    const auto answers = answers_of("time", request, "192.0.2.1:4000");
    const auto after = std::time(nullptr);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_GE(time_told_by(answers[0], before), before);
    EXPECT_LE(time_told_by(answers[0], after), after);
  }
}
