#include <gtest/gtest.h>

#include "superd/base/words.h"

using namespace superd;

namespace {
constexpr std::string_view keys[] = {"listen", "handler", "design", "engine", "level", "linger", "idle"};
}

TEST(TheNearestWord, IsOneSlipOfTheFingersAway) {
  EXPECT_EQ(nearest_word("lisen", keys), "listen");      // left out
  EXPECT_EQ(nearest_word("handdler", keys), "handler");  // twice
  EXPECT_EQ(nearest_word("desihn", keys), "design");     // beside it
  EXPECT_EQ(nearest_word("egnine", keys), "engine");     // swapped: one edit, not two
  EXPECT_EQ(nearest_word("idel", keys), "idle");
}

TEST(TheNearestWord, IsTheNearestOfSeveral) { EXPECT_EQ(nearest_word("lingen", keys), "linger"); }

TEST(TheNearestWord, IsNoneWhenMoreThanAThirdDiffers) {
  EXPECT_EQ(nearest_word("handle_it", keys), "handler");  // three of nine
  EXPECT_EQ(nearest_word("hndl", keys), "");
  EXPECT_EQ(nearest_word("ab", keys), "");
  EXPECT_EQ(nearest_word("", keys), "");
  EXPECT_EQ(nearest_word("listen", {}), "");
}

TEST(TheNearestWord, IsNotAnyShortWordForALetter) {
  constexpr std::string_view letters[] = {"d", "h"};
  EXPECT_EQ(nearest_word("x", letters), "");
  EXPECT_EQ(nearest_word("h", letters), "h");
}
