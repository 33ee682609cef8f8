#include <fmt/format.h>

#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// A guard with a clock of the test's.
class Guarded {
 public:
  explicit Guarded(std::uint64_t rate) : guard_(limits(rate), std::make_shared<OwnPorts>()) {}

  bool answers(std::string_view from) {
    return guard_.judge(endpoint(from), endpoint("192.0.2.255:0"), now) == AnswerGuard::Verdict::answer;
  }
  int answered(std::string_view from, int datagrams) {
    int count = 0;
    for (int i = 0; i < datagrams; ++i) count += answers(from);
    return count;
  }

  Time now{std::chrono::hours(1)};

 private:
  static Limits limits(std::uint64_t rate) {
    Limits limits;
    limits.answer_rate = rate;
    return limits;
  }
  AnswerGuard guard_;
};

}  // namespace

TEST(TheAnswerRate, AllowsASecondsWorthAtOnceAndNoMore) {
  Guarded guard(200);
  EXPECT_EQ(guard.answered("192.0.2.1:4000", 1'000), 200);
}

TEST(TheAnswerRate, IsKeptUpOverTime) {
  Guarded guard(100);
  int count = guard.answered("192.0.2.1:4000", 1'000);
  for (int tenth = 0; tenth < 50; ++tenth) {
    guard.now += Millis(100);
    count += guard.answered("192.0.2.1:4000", 1'000);
  }
  EXPECT_EQ(count, 100 + 5 * 100);
}

TEST(TheAnswerRate, DoesNotSaveUpMoreThanASecond) {
  Guarded guard(10);
  guard.answered("192.0.2.1:4000", 100);
  guard.now += std::chrono::hours(24);
  EXPECT_EQ(guard.answered("192.0.2.1:4000", 100), 10);
}

TEST(TheAnswerRate, CanBeOneASecond) {
  Guarded guard(1);
  EXPECT_EQ(guard.answered("192.0.2.1:4000", 10), 1);
  guard.now += Millis(999);
  EXPECT_EQ(guard.answered("192.0.2.1:4000", 10), 0);
  guard.now += Millis(1);
  EXPECT_EQ(guard.answered("192.0.2.1:4000", 10), 1);
}

TEST(TheAnswerRate, IsSharedByA24) {
  Guarded guard(10);
  int count = 0;
  for (int host = 0; host < 256; ++host) count += guard.answers(fmt::format("192.0.2.{}:{}", host, 4000 + host));
  EXPECT_EQ(count, 10);
  EXPECT_TRUE(guard.answers("192.0.3.1:4000"));
}

TEST(TheAnswerRate, IsSharedByA56) {
  Guarded guard(10);
  int count = 0;
  for (int net = 0; net < 256; ++net) count += guard.answers(fmt::format("[2001:db8:0:{:x}::{:x}]:4000", net, net + 1));
  EXPECT_EQ(count, 10);
  EXPECT_TRUE(guard.answers("[2001:db8:0:100::1]:4000"));
}

TEST(TheAnswerRate, IsOneForAnAddressAndItsMappedForm) {
  Guarded guard(10);
  EXPECT_EQ(guard.answered("192.0.2.1:4000", 6), 6);
  EXPECT_EQ(guard.answered("[::ffff:192.0.2.1]:4000", 6), 4);
}

TEST(TheAnswerRate, DoesNotHoldForTrustedNetworks) {
  Guarded guard(1);
  EXPECT_EQ(guard.answered("127.0.0.1:4000", 1'000), 1'000);
  EXPECT_EQ(guard.answered("[::1]:4000", 1'000), 1'000);
  EXPECT_EQ(guard.answered("[::ffff:127.0.0.1]:4000", 1'000), 1'000);
}

TEST(TheAnswerRate, HoldsForTheLoopbackWhenItIsNotTrusted) {
  Limits limits;
  limits.answer_rate = 1;
  limits.trusted = {Network::parse("10.0.0.0/8").value()};
  AnswerGuard guard(limits, std::make_shared<OwnPorts>());
  const auto verdict = [&](std::string_view from) { return guard.judge(endpoint(from), {}, Time{}); };
  EXPECT_EQ(verdict("127.0.0.1:4000"), AnswerGuard::Verdict::answer);
  EXPECT_EQ(verdict("127.0.0.1:4000"), AnswerGuard::Verdict::over_rate);
  EXPECT_EQ(verdict("10.1.2.3:4000"), AnswerGuard::Verdict::answer);
  EXPECT_EQ(verdict("10.1.2.3:4000"), AnswerGuard::Verdict::answer);
}

TEST(TheAnswerRate, IsNotForgottenUnderAFloodOfForgedPrefixes) {
  // Otherwise a victim could be hit again as soon as enough other addresses were made up.
  Guarded guard(10);
  guard.answered("192.0.2.1:4000", 100);
  for (int i = 0; i < 50'000; ++i)
    guard.answers(fmt::format("{}.{}.{}.1:4000", 1 + i % 100, i / 100 % 256, i / 25'600));
  EXPECT_EQ(guard.answered("192.0.2.1:4000", 100), 0);
}

TEST(TheRoomForAnAnswer, IsThreeTimesTheRequestAndALine) {
  const AnswerGuard guard(Limits{}, std::make_shared<OwnPorts>());
  const auto stranger = endpoint("192.0.2.1:4000");
  EXPECT_EQ(guard.room(stranger, 0), 64U);
  EXPECT_EQ(guard.room(stranger, 1), 67U);
  EXPECT_EQ(guard.room(stranger, 100), 364U);
}

TEST(TheRoomForAnAnswer, IsNeverMoreThanADatagramHolds) {
  const AnswerGuard guard(Limits{}, std::make_shared<OwnPorts>());
  EXPECT_EQ(guard.room(endpoint("192.0.2.1:4000"), 65'507), AnswerGuard::longest);
}

TEST(TheRoomForAnAnswer, IsAllThereIsForTrustedNetworks) {
  const AnswerGuard guard(Limits{}, std::make_shared<OwnPorts>());
  EXPECT_EQ(guard.room(endpoint("127.0.0.1:4000"), 0), AnswerGuard::longest);
  EXPECT_EQ(guard.room(endpoint("[::1]:4000"), 0), AnswerGuard::longest);
}

TEST(TheRoomForAnAnswer, FollowsItsSetting) {
  Limits limits;
  limits.amplification = 10;
  const AnswerGuard guard(limits, std::make_shared<OwnPorts>());
  EXPECT_EQ(guard.room(endpoint("192.0.2.1:4000"), 10), 164U);
}
