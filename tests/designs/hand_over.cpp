// Connections behind a handler that keeps its thread; datagrams are in hand_over_datagrams.cpp.

#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class ADesignThatHandsOver : public EveryWayAndTransport {
 protected:
  DesignSettings with_threads(int threads) const {
    auto changed = way();
    changed.threads = threads;
    return changed;
  }
};
INSTANTIATE_TEST_SUITE_P(Under, ADesignThatHandsOver, with_streams(ways_that_change_hands()), name_of_combination);

/// Whose first client keeps its thread until the test lets it go; the others are echoed.
task<> first_keeps_its_thread(Connection& client, Notes& notes) {
  if (++notes.present == 1) {
    keeps_its_thread_until([&] { return notes.may_go.load(); });
    constexpr std::string_view answer = "at last";
    co_await client.write(answer);
    co_return;
  }
  while (auto chunk = co_await client.read())
    if (!co_await client.write(chunk)) break;
}

/// Each keeps its thread until `finished` has reached its number.
task<> keep_their_threads_in_turn(Connection& client, Notes& notes) {
  const int number = ++notes.present;
  keeps_its_thread_until([&] { return notes.finished >= number || notes.may_go; });
  const std::string answer = "ended " + std::to_string(number);
  co_await client.write(answer);
}

testing::AssertionResult is_echoed(const Socket& client, std::string_view text) {
  if (!send_text(client, text)) return testing::AssertionFailure() << "cannot send";
  const auto answer = received_text(client);
  if (answer == text) return testing::AssertionSuccess();
  return testing::AssertionFailure() << answer.value_or("no answer");
}

testing::AssertionResult is_answered(const Socket& client, std::string_view text) {
  const auto answer = received_text(client);
  if (answer == text) return testing::AssertionSuccess();
  return testing::AssertionFailure() << answer.value_or("no answer") << " instead of " << text;
}

}  // namespace

TEST_P(ADesignThatHandsOver, ServesTheNextOnesWhileAHandlerKeepsItsThread) {
  Serving serving(way(), {where()}, first_keeps_its_thread);
  const auto busy = serving.client();
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(is_echoed(serving.client(), "next"));
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 1; })) << "the busy one";
  EXPECT_GE(serving.design->report().hand_overs, 1U);
  serving.notes.may_go = true;
  EXPECT_TRUE(is_answered(busy, "at last"));
}

TEST_P(ADesignThatHandsOver, GoesOnWithWhoeverWasThereBefore) {
  // Under the loops, those who are in already wait for the thread that is busy now.
  Serving serving(way(), {where()}, [](Connection& client, Notes& notes) -> task<> {
    ++notes.present;
    while (auto chunk = co_await client.read()) {
      if (chunk.text() == "keep") keeps_its_thread_until([&] { return notes.may_go.load(); });
      if (!co_await client.write(chunk)) break;
    }
  });
  std::vector<Socket> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(serving.client());
  ASSERT_TRUE(soon([&] { return serving.notes.present == 5; }));
  ASSERT_TRUE(send_text(clients.front(), "keep"));
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 1; i < clients.size(); ++i) EXPECT_TRUE(is_echoed(clients[i], std::to_string(round)));
  serving.notes.may_go = true;
  EXPECT_TRUE(is_answered(clients.front(), "keep"));
  EXPECT_TRUE(is_echoed(clients.front(), "and goes on"));
}

TEST_P(ADesignThatHandsOver, ServesAsManyAtOnceAsItHasThreads) {
  constexpr int threads = 4;
  Serving serving(with_threads(threads), {where()}, keep_their_threads_in_turn);
  std::vector<Socket> clients;
  for (int i = 1; i <= threads; ++i) {
    clients.push_back(serving.client());
    ASSERT_TRUE(soon([&] { return serving.notes.present == i; })) << i;
  }
  // The last one has the lead, which nobody can take from it.
  ASSERT_TRUE(soon([&] { return times_decided(*serving.design, Decisions::What::threads_at_bound) > 0; }));
  const auto waiting = serving.client();
  EXPECT_EQ(serving.notes.present, threads);
  EXPECT_LE(serving.design->report().threads, threads);

  serving.notes.finished = 1;
  EXPECT_TRUE(soon([&] { return serving.notes.present == threads + 1; })) << "the next one gets its thread";
  EXPECT_LE(serving.design->report().threads, threads);
  serving.notes.may_go = true;
  for (std::size_t i = 0; i < clients.size(); ++i)
    EXPECT_TRUE(is_answered(clients[i], "ended " + std::to_string(i + 1)));
  EXPECT_TRUE(is_answered(waiting, "ended " + std::to_string(threads + 1)));
}

TEST_P(ADesignThatHandsOver, UsesItsThreadsAgain) {
  Serving serving(way(), {where()}, keep_their_threads_in_turn);
  int threads = 0;
  for (int i = 1; i <= 30; ++i) {
    const auto busy = serving.client();
    ASSERT_TRUE(soon([&] { return serving.notes.present == i; }));
    // It is known to be late when another one leads.
    ASSERT_TRUE(soon([&] { return serving.design->report().hand_overs >= static_cast<std::uint64_t>(i) ||
                                  serving.design->report().at_once; }));
    serving.notes.finished = i;
    ASSERT_TRUE(is_answered(busy, "ended " + std::to_string(i)));
    threads = serving.design->report().threads;
    ASSERT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
  }
  EXPECT_LE(threads, 6) << "one leads and one is busy; another one may not be back yet";
}

TEST_P(ADesignThatHandsOver, GivesEachTheirBytesInOrderAcrossHandOvers) {
  // 'k' keeps its thread until somebody else was served; 's' sleeps; 'w' writes much.
  Serving serving(way(), {where()}, [](Connection& client, Notes& notes) -> task<> {
    constexpr Millis moment{1};
    const std::string much(300'000, 'w');
    for (char wish = 0;; wish = 0) {
      const bool has_wish = co_await client.read_exactly(std::as_writable_bytes(std::span(&wish, 1)));
      if (!has_wish) co_return;
      if (wish == 'o') ++notes.finished;
      if (wish == 'k') {
        ++notes.present;
        keeps_its_thread_until([&, before = notes.finished.load()] { return notes.finished > before; });
      }
      const bool slept = co_await client.sleep(wish == 's' ? moment : Millis{0});
      if (!slept) co_return;
      const std::string_view answer = wish == 'w' ? std::string_view(much) : std::string_view(&wish, 1);
      if (!co_await client.write(answer)) co_return;
    }
  });
  const std::string wishes = "kwskkwswkskw";
  const auto busy = serving.client();
  ASSERT_TRUE(send_text(busy, wishes));
  ::shutdown(busy.fd(), SHUT_WR);
  std::jthread others([&] {
    for (int i = 1; i <= std::ranges::count(wishes, 'k'); ++i) {
      EXPECT_TRUE(soon([&] { return serving.notes.present == i; }));
      EXPECT_TRUE(is_echoed(serving.client(), "o"));
    }
  });
  std::string expected;
  for (const char wish : wishes) expected += wish == 'w' ? std::string(300'000, 'w') : std::string(1, wish);
  EXPECT_TRUE(everything_from(busy) == expected) << "bytes were lost, changed or out of order";
}

TEST_P(ADesignThatHandsOver, ClosesWhileThreadsAreAway) {
  Serving serving(way(), {where()}, first_keeps_its_thread);
  const auto busy = serving.client();
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  ASSERT_TRUE(soon([&] { return serving.design->report().hand_overs == 1; }));
  EXPECT_TRUE(serving.closes());
  EXPECT_FALSE(serving.design->is_done());
  EXPECT_EQ(serving.hosted->level.count(), 1);
  serving.notes.may_go = true;
  EXPECT_TRUE(is_answered(busy, "at last"));
  EXPECT_TRUE(soon([&] { return serving.design->is_done(); }));
  EXPECT_EQ(serving.counted(&Counters::served), 1U);
}

TEST_P(ADesignThatHandsOver, LeavesWhileThreadsAreAway) {
  Serving serving(way(), {where()}, first_keeps_its_thread);
  const auto busy = serving.client();
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  EXPECT_TRUE(soon([&] { return serving.design->leave(); }));
  EXPECT_FALSE(serving.design->is_done());
  const auto late = serving.client();
  ASSERT_TRUE(send_text(late, "for the next design"));
  serving.notes.may_go = true;
  EXPECT_TRUE(is_answered(busy, "at last"));
  EXPECT_TRUE(soon([&] { return serving.design->is_done(); }));
  EXPECT_EQ(serving.counted(&Counters::accepted), 1U);
}

TEST_P(ADesignThatHandsOver, CutsWhoIsAwayAndSleepsThen) {
  Serving serving(way(), {where()}, [](Connection& client, Notes& notes) -> task<> {
    constexpr Millis long_time = std::chrono::hours(1);
    ++notes.present;
    keeps_its_thread_until([&] { return notes.may_go.load(); });
    const bool slept = co_await client.sleep(long_time);
    notes.add(slept ? "slept" : "cut");
  });
  std::vector<Socket> clients;
  for (int i = 1; i <= 3; ++i) {
    clients.push_back(serving.client());
    ASSERT_TRUE(soon([&] { return serving.notes.present == i; }));
  }
  EXPECT_TRUE(serving.closes());
  const auto cut = [&] {
    serving.hosted->level.cut_all();
    serving.design->cut();
  };
  cut();
  serving.notes.may_go = true;
  EXPECT_TRUE(soon([&] {
    cut();
    return serving.hosted->level.count() == 0 && serving.design->is_done();
  }));
  EXPECT_EQ(serving.notes.all(), std::vector<std::string>(3, "cut"));
}
