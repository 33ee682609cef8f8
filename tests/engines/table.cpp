#include <gtest/gtest.h>

#include "superd/engines/engines.h"

using namespace superd;

TEST(TheTableOfEngines, FindsEachByItsName) {
  ASSERT_FALSE(engines().empty());
  for (const auto& entry : engines()) {
    EXPECT_EQ(find_engine(entry.name), &entry);
    EXPECT_FALSE(entry.what.empty());
  }
  EXPECT_EQ(find_engine("kqueue"), nullptr);
  EXPECT_EQ(find_engine(""), nullptr);
}
