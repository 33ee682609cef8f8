#include "superd/serve/hours.h"

#include "tests/serve/serve_test.h"

using namespace superd;

namespace {

constexpr int sunday = 0, monday = 1, friday = 5, saturday = 6;

bool hold(std::string_view text, int day, int hour, int minute) {
  std::tm local{};
  local.tm_wday = day;
  local.tm_hour = hour;
  local.tm_min = minute;
  return Hours::parse(text).value().hold(local);
}

}  // namespace

TEST(TheHours, AreReadAndPrinted) {
  const std::pair<const char*, const char*> same[] = {
      {"08:00-18:00",             "08:00-18:00"            },
      {"8:00-18:00",              "08:00-18:00"            },
      {"22:00-06:00",             "22:00-06:00"            },
      {"00:00-24:00",             "00:00-24:00"            },
      {"Mon-Fri 08:00-18:00",     "Mon-Fri 08:00-18:00"    },
      {"Sat,Sun 00:00-24:00",     "Sat-Sun 00:00-24:00"    },
      {"Fri-Mon 08:00-18:00",     "Mon,Fri-Sun 08:00-18:00"},
      {"Mon,Wed,Fri 01:00-02:00", "Mon,Wed,Fri 01:00-02:00"},
      {"Sun-Sat 01:00-02:00",     "01:00-02:00"            },
      {"Sun 01:00-00:00",         "Sun 01:00-00:00"        },
  };
  for (const auto& [text, printed] : same) {
    const auto parsed = Hours::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), printed);
    EXPECT_EQ(Hours::parse(printed).value(), *parsed);
  }
}

TEST(TheHours, AreRefusedWhereTheyAreNone) {
  for (const auto* text : {"",
                           " ",
                           "08:00",
                           "08:00-",
                           "-18:00",
                           "08:00-18:00 ",
                           " 08:00-18:00",
                           "08:60-18:00",
                           "24:01-25:00",
                           "24:00-01:00",
                           "08:00-08:00",
                           "8-18",
                           "08:00 - 18:00",
                           "mon 08:00-18:00",
                           "Mon- 08:00-18:00",
                           "Mon,, 08:00-18:00",
                           "Mon 08:00-18:00-20:00",
                           "Mon-Tue-Wed 08:00-18:00",
                           "0x:00-18:00",
                           "+8:00-18:00",
                           "008:00-18:00"})
    EXPECT_FALSE(Hours::parse(text)) << text;
}

TEST(TheHours, BeginWithTheirFirstMinuteAndEndBeforeTheirLast) {
  EXPECT_FALSE(hold("08:00-18:00", monday, 7, 59));
  EXPECT_TRUE(hold("08:00-18:00", monday, 8, 0));
  EXPECT_TRUE(hold("08:00-18:00", monday, 17, 59));
  EXPECT_FALSE(hold("08:00-18:00", monday, 18, 0));
  EXPECT_TRUE(hold("00:00-24:00", monday, 23, 59));
}

TEST(TheHours, GoOnAcrossMidnight) {
  EXPECT_TRUE(hold("22:00-06:00", monday, 23, 0));
  EXPECT_TRUE(hold("22:00-06:00", monday, 5, 59));
  EXPECT_FALSE(hold("22:00-06:00", monday, 6, 0));
  EXPECT_FALSE(hold("22:00-06:00", monday, 21, 59));
}

TEST(TheHours, OfADayEndOnTheNextWhenTheyCrossMidnight) {
  EXPECT_TRUE(hold("Fri 22:00-06:00", friday, 22, 0));
  EXPECT_TRUE(hold("Fri 22:00-06:00", saturday, 5, 59));
  EXPECT_FALSE(hold("Fri 22:00-06:00", friday, 5, 59));
  EXPECT_FALSE(hold("Fri 22:00-06:00", saturday, 22, 0));
  EXPECT_TRUE(hold("Sat 22:00-06:00", sunday, 1, 0));
}

TEST(TheHours, AreOfTheirDays) {
  EXPECT_TRUE(hold("Mon-Fri 08:00-18:00", friday, 12, 0));
  EXPECT_FALSE(hold("Mon-Fri 08:00-18:00", saturday, 12, 0));
  EXPECT_TRUE(hold("Sat-Mon 08:00-18:00", sunday, 12, 0));
}

TEST(TheHours, AreAlwaysWhereThereAreNone) {
  EXPECT_TRUE(any_hold({}, std::tm{}));
  const Hours both[] = {Hours::parse("Mon 01:00-02:00").value(), Hours::parse("Sun 01:00-02:00").value()};
  std::tm local{};
  local.tm_hour = 1;
  EXPECT_TRUE(any_hold(both, local));
  local.tm_hour = 2;
  EXPECT_FALSE(any_hold(both, local));
}
