#include "superd/lab/probe_window.h"

#include <gtest/gtest.h>

#include <vector>

#include "superd/lab/pace.h"
#include "superd/lab/ping_tally.h"
#include "superd/lab/probe_stamp.h"

using namespace superd;
using namespace std::chrono_literals;

namespace {

constexpr Time start{1h};
using enum ProbeWindow::Answer;

std::vector<std::uint64_t> expired(ProbeWindow& window, Time now, Clock::duration timeout) {
  std::vector<std::uint64_t> lost;
  window.expire(now, timeout, [&](std::uint64_t number) { lost.push_back(number); });
  return lost;
}

}  // namespace

TEST(AProbeWindow, TellsFirstAnswersFromOthers) {
  ProbeWindow window;
  window.note_sent(3, start);
  EXPECT_EQ(window.pending(), 3U);
  EXPECT_EQ(window.note_answer(1), first);
  EXPECT_EQ(window.note_answer(1), again);
  EXPECT_EQ(window.note_answer(3), late) << "it was never sent";
  EXPECT_EQ(window.pending(), 2U);
  EXPECT_EQ(window.unanswered(), 2U);
}

TEST(AProbeWindow, GivesUpWhatIsTooOldAndNamesIt) {
  ProbeWindow window;
  window.note_sent(2, start);
  window.note_sent(2, start + 500ms);
  EXPECT_EQ(window.note_answer(0), first);
  EXPECT_TRUE(expired(window, start + 900ms, 1s).empty());
  EXPECT_EQ(expired(window, start + 1100ms, 1s), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(window.note_answer(1), late);
  EXPECT_EQ(expired(window, start + 2s, 1s), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(window.unanswered(), 0U);
  EXPECT_EQ(window.pending(), 0U);
  EXPECT_EQ(window.next_expiry(1s), never);
}

TEST(AProbeWindow, WhatIsNoLongerPendingMayStillBeAnswered) {
  ProbeWindow window;
  window.note_sent(10, start);
  EXPECT_EQ(window.note_answer(4), first);
  window.age(start + 50ms, 20ms);
  EXPECT_EQ(window.pending(), 0U);
  EXPECT_EQ(window.unanswered(), 9U);
  EXPECT_EQ(window.note_answer(5), first);
  EXPECT_EQ(window.unanswered(), 8U);
}

TEST(AProbeWindow, NeverHoldsMoreThanItsCapacity) {
  ProbeWindow window;
  auto now = start;
  std::uint64_t lost = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto count = std::min<std::uint64_t>(64, window.room());
    window.note_sent(count, now);
    for (std::uint64_t back = 1; back <= count; back += 2) window.note_answer(window.next() - back);
    now += 100us;
    window.expire(now, 1s, [&](std::uint64_t) { ++lost; });
    ASSERT_LE(window.unanswered(), ProbeWindow::capacity);
  }
  EXPECT_EQ(lost + window.unanswered(), window.next() / 2);
}

TEST(AProbeWindow, ForgetsAnsweredOnesWhenItNeedsTheirRoom) {
  ProbeWindow window;
  for (int i = 0; i < 10'000; ++i) {
    const auto now = start + i * 10us;
    ASSERT_GE(window.room(), 64U);
    window.note_sent(64, now);
    for (std::uint64_t back = 1; back <= 64; ++back) EXPECT_EQ(window.note_answer(window.next() - back), first);
    window.age(now, 1ms);
    window.expire(now, 1h, [](std::uint64_t) { FAIL(); });
  }
}

TEST(APace, AllowsSoManyASecondAndSavesNoMoreThanABatch) {
  Pace pace(1000);
  EXPECT_EQ(pace.allowed(start), 64U);
  pace.note_sent(64);
  EXPECT_EQ(pace.allowed(start), 0U);
  EXPECT_EQ(pace.allowed(start + 1ms), 1U);
  EXPECT_EQ(pace.next(), start + 1ms);
  EXPECT_EQ(pace.allowed(start + 10s), 64U);
  Pace none(0);
  none.note_sent(1'000'000);
  EXPECT_EQ(none.allowed(start), 64U);
}

TEST(AProbeStamp, ReadsBackUnderItsOwnKeyAlone) {
  const SipHash hash({1, 2}), other({1, 3});
  std::vector<std::byte> body(ProbeStamp::size);
  ProbeStamp{123, 456}.write(hash, body);
  const auto stamp = ProbeStamp::read(hash, body);
  ASSERT_TRUE(stamp);
  EXPECT_EQ(stamp->sent, 123U);
  EXPECT_EQ(stamp->number, 456U);
  EXPECT_FALSE(ProbeStamp::read(other, body));
  EXPECT_FALSE(ProbeStamp::read(hash, std::span(body).first(23)));
  body[3] ^= std::byte{1};
  EXPECT_FALSE(ProbeStamp::read(hash, body));
}

TEST(APingTally, CountsTargetsOnce) {
  PingTally tally(2);
  const EchoArrival failure{
      .from = {0, 9},
        .type = 3, .code = 1
  };
  tally.note_sent(0, 0);
  tally.note_sent(1, 0);
  tally.note_failure(0, failure);
  EXPECT_EQ(tally.unreachable, 1U);
  tally.note_sent(0, 1);
  EXPECT_TRUE(tally.note_reply(0, 1, 2ms));
  EXPECT_FALSE(tally.note_reply(0, 1, 2ms));
  EXPECT_EQ(tally.answered, 1U);
  EXPECT_EQ(tally.unreachable, 0U) << "who answers is reachable";
  EXPECT_EQ(tally.duplicates, 1U);
  tally.note_failure(1, failure);
  ASSERT_EQ(tally.tellers.size(), 1U);
  EXPECT_EQ(tally.tellers[0].count, 2U);
}

TEST(APingTally, BoundsTheTellersItKeeps) {
  PingTally tally(1);
  for (std::uint64_t i = 0; i < 100; ++i)
    tally.note_failure(0, {
                              .from = {0, i},
                                .type = 3
    });
  EXPECT_EQ(tally.tellers.size(), PingTally::most_tellers);
  EXPECT_EQ(tally.untold, 100 - PingTally::most_tellers);
}

TEST(RoundTrips, HaveMeanAndDeviation) {
  RoundTrips times;
  EXPECT_EQ(times.least(), 0);
  for (const auto time : {2ms, 4ms, 4ms, 4ms, 5ms, 5ms, 7ms, 9ms}) times.add(time);
  EXPECT_DOUBLE_EQ(times.mean(), 5);
  EXPECT_DOUBLE_EQ(times.deviation(), 2);
  EXPECT_DOUBLE_EQ(times.least(), 2);
  EXPECT_DOUBLE_EQ(times.most(), 9);
}

TEST(RoundTripBars, GoInStepsOfOneTwoAndFive) {
  EXPECT_EQ(RoundTripBars::upper(0), 1us);
  EXPECT_EQ(RoundTripBars::upper(4), 20us);
  EXPECT_EQ(RoundTripBars::upper(11), 5ms);
  RoundTripBars bars;
  bars.add(20us);
  bars.add(21us);
  bars.add(2h);
  EXPECT_EQ(bars[4], 1U);
  EXPECT_EQ(bars[5], 1U);
  EXPECT_EQ(bars[RoundTripBars::size - 1], 1U);
}
