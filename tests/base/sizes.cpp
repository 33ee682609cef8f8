#include <gtest/gtest.h>

#include "superd/base/units.h"

using namespace superd;

TEST(ASize, IsANumberOfBytesOrHasAUnit) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("512B"), 512U);
  EXPECT_EQ(parse_size("64KiB"), 65'536U);
  EXPECT_EQ(parse_size("10MiB"), 10U << 20);
  EXPECT_EQ(parse_size("1GiB"), 1U << 30);
  EXPECT_EQ(parse_size("18446744073709551615"), ~0ULL);
}

TEST(ASize, IsNothingElse) {
  for (const auto* text : {"", "KiB", "-1", "64K", "64KB", "64kib", "64 KiB", "1.5MiB", "0x10", "64KiBx"}) {
    const auto parsed = parse_size(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().what.find("KiB, MiB or GiB"), std::string::npos) << parsed.error().what;
  }
}

TEST(ASize, CannotOverflow) {
  EXPECT_EQ(parse_size("17179869183GiB"), 17'179'869'183ULL << 30);
  EXPECT_FALSE(parse_size("17179869184GiB"));
  EXPECT_FALSE(parse_size("18446744073709551616"));
}

TEST(ASize, IsPrintedAsShortAsItCanBeRead) {
  const std::pair<std::uint64_t, const char*> known[] = {
      {0,          "0B"     },
      {100,        "100B"   },
      {1023,       "1023B"  },
      {1024,       "1KiB"   },
      {65'536,     "64KiB"  },
      {1536 << 10, "1536KiB"},
      {1 << 30,    "1GiB"   },
  };
  for (const auto& [value, text] : known) {
    EXPECT_EQ(format_size(value), text);
    EXPECT_EQ(parse_size(text), value);
  }
}
