#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

TEST(TheTableOfDesigns, FindsEachRowByItsName) {
  ASSERT_FALSE(designs().empty());
  for (const auto& entry : designs()) {
    EXPECT_EQ(find_design(entry.name), &entry) << entry.name;
    EXPECT_FALSE(entry.what.empty()) << entry.name;
    EXPECT_TRUE(entry.uses_engine || !entry.uses_loops) << entry.name << ": loops turn engines";
  }
  EXPECT_EQ(find_design("no such design"), nullptr);
}

TEST(TheTableOfDesigns, MakesTheDefault) { EXPECT_TRUE(make_design(DesignSettings{}).has_value()); }

TEST(ADesignThatThereIsNot, IsAnErrorThatNamesThoseThereAre) {
  const auto made = make_design({.design = "forked"});
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().what.find("no design is called \"forked\""), std::string::npos) << made.error().what;
  for (const auto& entry : designs()) EXPECT_NE(made.error().what.find(entry.name), std::string::npos) << entry.name;
}

TEST(AnEngineThatThereIsNot, IsAnErrorThatNamesThoseThereAre) {
  const auto made = make_design({.design = "event", .engine = "kqueue"});
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().what.find("no engine is called \"kqueue\""), std::string::npos) << made.error().what;
  for (const auto& entry : engines()) EXPECT_NE(made.error().what.find(entry.name), std::string::npos) << entry.name;
}
