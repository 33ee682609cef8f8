#include "superd/lab/json_text.h"

#include <gtest/gtest.h>

using superd::json_quoted;

TEST(AStringOfJson, CannotBeEndedFromWithin) {
  EXPECT_EQ(json_quoted("router.example"), R"("router.example")");
  EXPECT_EQ(json_quoted(R"(a"b)"), R"("a\"b")");
  EXPECT_EQ(json_quoted("a\nb"), R"("a\\x0ab")");
}
