#include <algorithm>

#include "superd/serve/held_clients.h"
#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;
using namespace std::chrono_literals;

namespace {

/// What is written to stderr by `work`, a line each.
std::vector<std::string> lines_of(const std::function<void()>& work) {
  ::testing::internal::CaptureStderr();
  work();
  std::istringstream text(::testing::internal::GetCapturedStderr());
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& line, std::string_view part) { return line.find(part) != line.npos; }

}  // namespace

TEST(TheRefusalLog, TellsTheFirstOnesAndThenHowMany) {
  RefusalLog log("echo");
  Time now{std::chrono::hours(1)};
  const auto client = endpoint("192.0.2.1:4000");
  const auto first = lines_of([&] {
    for (int i = 0; i < 1'000; ++i) log.note(Refusal::rate, client, now);
  });
  ASSERT_EQ(first.size(), 5U);
  EXPECT_TRUE(has(first[0], "refused service=echo client=192.0.2.1:4000 why=rate")) << first[0];
  EXPECT_EQ(log.next(), now + 60s);

  EXPECT_TRUE(lines_of([&] { log.tell_rest(now + 59s); }).empty());
  const auto rest = lines_of([&] { log.tell_rest(now + 60s); });
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_TRUE(has(rest[0], "refused more service=echo why=rate count=995 within=1m")) << rest[0];
  EXPECT_EQ(log.next(), never);
  EXPECT_EQ(lines_of([&] { log.note(Refusal::rate, client, now + 61s); }).size(), 1U);
}

TEST(TheRefusalLog, HasLinesForEachReason) {
  RefusalLog log("echo");
  const Time now{std::chrono::hours(1)};
  const auto lines = lines_of([&] {
    for (int i = 0; i < 10; ++i)
      for (const auto why : {Refusal::access, Refusal::hours, Refusal::client})
        log.note(why, endpoint("192.0.2.1:1"), now);
  });
  EXPECT_EQ(lines.size(), 15U);
  const auto rest = lines_of([&] { log.note(Refusal::level, endpoint("192.0.2.1:1"), now + 2min); });
  EXPECT_EQ(std::ranges::count_if(rest, [](const auto& line) { return has(line, "refused more"); }), 3);
}

TEST(TheRefusalLog, HasNothingToTellOfFew) {
  RefusalLog log("echo");
  const Time now{std::chrono::hours(1)};
  (void)lines_of([&] { log.note(Refusal::access, endpoint("192.0.2.1:1"), now); });
  EXPECT_TRUE(lines_of([&] { log.tell_rest(now + 1min); }).empty());
}

TEST(HeldClientsOfADoor, ComeInTheOrderInWhichTheyAreDue) {
  HeldClients held;
  EXPECT_EQ(held.next(), never);
  const Time now{std::chrono::hours(1)};
  for (const int seconds : {5, 1, 3, 2, 4}) {
    auto pair = tcp_pair();
    EXPECT_TRUE(held.keep(pair.server, endpoint("192.0.2.1:1"), client(seconds), now + Seconds(seconds)));
  }
  for (const int seconds : {1, 2, 3, 4, 5}) {
    EXPECT_EQ(held.next(), now + Seconds(seconds));
    EXPECT_EQ(held.take().client, client(seconds));
  }
  EXPECT_TRUE(held.is_empty());
}

TEST(HeldClientsOfADoor, AreBoundedAndTheConnectionThatDoesNotFitIsNotTaken) {
  HeldClients held;
  std::size_t kept = 0;
  Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
  while (kept <= HeldClients::most && held.keep(socket, {}, {}, {})) {
    ++kept;
    socket.reset(::socket(AF_INET, SOCK_STREAM, 0));
  }
  EXPECT_TRUE(socket.is_open());
  EXPECT_FALSE(held.has_room());
  EXPECT_LE(kept, HeldClients::most);
  EXPECT_GT(kept, 0U);
  held.clear();
  EXPECT_TRUE(held.has_room());
}
