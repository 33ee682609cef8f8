#include "superd/serve/conversation_log.h"

#include <gtest/gtest.h>

#include <memory>

#include "superd/serve/conversation_line.h"

using namespace superd;
using namespace std::chrono_literals;

namespace {

/// In zeroed memory, as it lies on a scoreboard.
struct Board {
  std::unique_ptr<ConversationLog> log{new ConversationLog{}};
  Counter left_out;

  int lines(int asked, Time now) {
    int count = 0;
    for (int i = 0; i < asked; ++i) count += log->may_log_conversation("it", left_out, now) ? 1 : 0;
    return count;
  }
};

constexpr Time begin{1'000'000s};

}  // namespace

TEST(TheConversationLog, HasWhatItIsToldTo) {
  Board board;
  EXPECT_FALSE(board.log->wants(true));
  board.log->change({.which = LoggedConversations::failures});
  EXPECT_TRUE(board.log->wants(true));
  EXPECT_FALSE(board.log->wants(false));
  board.log->change({.which = LoggedConversations::all});
  EXPECT_TRUE(board.log->wants(false));
  board.log->change({.which = LoggedConversations::none});
  EXPECT_FALSE(board.log->wants(true));
}

TEST(TheRateOfTheConversationLog, HoldsForEachSecond) {
  Board board;
  board.log->change({.which = LoggedConversations::all, .rate = 3});
  EXPECT_EQ(board.lines(10, begin), 3);
  EXPECT_EQ(board.lines(10, begin + 999ms), 0);
  EXPECT_EQ(board.left_out.value(), 17U);
  EXPECT_EQ(board.lines(10, begin + 1s), 3);
}

TEST(TheRateOfTheConversationLog, IsNotOpenedByWhoLookedAtTheClockEarlier) {
  Board board;
  board.log->change({.which = LoggedConversations::all, .rate = 3});
  EXPECT_EQ(board.lines(2, begin + 1s), 2);
  EXPECT_EQ(board.lines(10, begin), 1);
  EXPECT_EQ(board.lines(10, begin + 1s), 0);
}

TEST(TheRateOfTheConversationLog, MayBeAnyThatTheConfigurationHas) {
  Board board;
  board.log->change({.which = LoggedConversations::all, .rate = 1'000'000});
  EXPECT_EQ(board.lines(1'000'100, begin), 1'000'000);
}

TEST(AConversation, ThatItsClientLeavesHasNotFailed) {
  for (const End end : {End::not_yet, End::finished, End::reset}) EXPECT_FALSE(is_failure(end)) << name_of(end);
  for (const End end : {End::idle, End::slow, End::too_long, End::drained, End::no_room})
    EXPECT_TRUE(is_failure(end)) << name_of(end);
}
