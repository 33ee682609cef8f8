#include <ctime>
#include <regex>

#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

bool is_whole(const std::string& line) {
  static const std::regex shape(
      R"((Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} [ 1-3]\d [0-2]\d:[0-5]\d:[0-6]\d \d{4}\r\n)");
  return std::regex_match(line, shape);
}

/// What time a line tells, or nothing.
std::optional<std::time_t> time_told_by(const std::string& line) {
  if (!is_whole(line)) return std::nullopt;
  std::tm parts{};
  if (!::strptime(line.c_str(), "%a %b %e %H:%M:%S %Y", &parts)) return std::nullopt;
  parts.tm_isdst = -1;
  return std::mktime(&parts);
}

}  // namespace

TEST(Daytime, TellsTheTimeInOneLine) {
  Talk talk("daytime");
  const auto before = std::time(nullptr);
  const auto line = everything_from(talk.client);
  const auto told = time_told_by(line);
  ASSERT_TRUE(told.has_value()) << line;
  // The connection was made, and answered, a moment before.
  EXPECT_GE(*told, before - patience_ms / 1000);
  EXPECT_LE(*told, std::time(nullptr));
  EXPECT_TRUE(talk.ended());
}

TEST(Daytime, AnswersAnyDatagramWithTheLine) {
  for (const auto* request : {"", "what time is it"}) {
    const auto before = std::time(nullptr);
    const auto answers = answers_of("daytime", request);
    const auto after = std::time(nullptr);
    ASSERT_EQ(answers.size(), 1U);
    const auto told = time_told_by(answers[0]);
    ASSERT_TRUE(told.has_value()) << answers[0];
    EXPECT_GE(*told, before);
    EXPECT_LE(*told, after);
  }
}

TEST(Daytime, AnswersAStrangerWhoSendsNothing) { EXPECT_EQ(answers_of("daytime", "", "192.0.2.1:4000").size(), 1U); }

TEST(Daytime, ToldByManyThreadsAtOnceIsAlwaysWhole) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) {
        const auto answers = answers_of("daytime", "");
        // Not mktime(3) too: glibc frees and copies TZ in it under a lock of its own, which the thread sanitizer cannot see.
        ASSERT_TRUE(answers.size() == 1 && is_whole(answers[0]));
      }
    });
}
