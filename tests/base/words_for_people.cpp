#include <gtest/gtest.h>

#include "superd/base/words.h"

using namespace superd;

TEST(EitherOf, ReadsAsASentence) {
  constexpr std::string_view words[] = {"select", "poll", "epoll"};
  const std::span all(words);
  EXPECT_EQ(either_of(all.first(0)), "");
  EXPECT_EQ(either_of(all.first(1)), "select");
  EXPECT_EQ(either_of(all.first(2)), "select or poll");
  EXPECT_EQ(either_of(all), "select, poll or epoll");
}

TEST(EscapedText, CannotForgeALogLine) {
  EXPECT_EQ(escaped("plain ~ text"), "plain ~ text");
  EXPECT_EQ(escaped("one\ntwo\r\x1b[2J"), "one\\x0atwo\\x0d\\x1b[2J");
  EXPECT_EQ(escaped(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(escaped("\x7f\x80\xff"), "\\x7f\\x80\\xff");
}

TEST(EscapedText, CannotForgeAnEscape) { EXPECT_EQ(escaped("\\x0a"), "\\x5cx0a"); }

TEST(EscapedText, IsCutWhereItIsLong) {
  EXPECT_EQ(escaped("abcdef", 6), "abcdef");
  EXPECT_EQ(escaped("abcdefg", 6), "abcdef...");
  EXPECT_EQ(escaped("\n\n\n", 2), "\\x0a\\x0a...");
  EXPECT_EQ(escaped("x", 0), "...");
}
