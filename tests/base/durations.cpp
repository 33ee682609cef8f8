#include <gtest/gtest.h>

#include "superd/base/units.h"

using namespace superd;

TEST(ADuration, IsANumberAndItsUnit) {
  EXPECT_EQ(parse_duration("250ms"), Millis(250));
  EXPECT_EQ(parse_duration("30s"), Seconds(30));
  EXPECT_EQ(parse_duration("5m"), std::chrono::minutes(5));
  EXPECT_EQ(parse_duration("1h"), std::chrono::hours(1));
  EXPECT_EQ(parse_duration("2d"), std::chrono::hours(48));
  EXPECT_EQ(parse_duration("0s"), Millis(0));
}

TEST(ADuration, IsNothingElse) {
  for (const auto* text : {"", "30", "s", "-1s", "+1s", " 1s", "1s ", "1 s", "1.5s", "1S", "1h30m", "0x1s", "1sec"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().what.find("as in \"30s\""), std::string::npos) << parsed.error().what;
  }
}

TEST(ADuration, CannotOverflowTheClock) {
  EXPECT_EQ(parse_duration("36500d"), std::chrono::hours(24 * 36'500));
  for (const auto* text : {"36501d", "9223372036854775807ms", "18446744073709551615s", "99999999999999999999999d"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().what.find("at most 36500d"), std::string::npos) << parsed.error().what;
  }
  const Time last = Clock::now() + *parse_duration("36500d");
  EXPECT_GT(last, Clock::now());
}

TEST(ADuration, IsPrintedAsShortAsItCanBeRead) {
  const std::pair<Millis, const char*> known[] = {
      {Millis(0),       "0s"    },
      {Millis(1),       "1ms"   },
      {Millis(1500),    "1500ms"},
      {Seconds(90),     "90s"   },
      {Seconds(60),     "1m"    },
      {Seconds(5400),   "90m"   },
      {Seconds(3600),   "1h"    },
      {Seconds(86'400), "1d"    },
      {Seconds(90'000), "25h"   },
  };
  for (const auto& [value, text] : known) {
    EXPECT_EQ(format_duration(value), text);
    EXPECT_EQ(parse_duration(text), value);
  }
}
