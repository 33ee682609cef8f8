#include <gtest/gtest.h>

#include "superd/services/beacon/beacon_text.h"
#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

const std::vector<std::string> some{"echo tcp/7 udp/7", "time tcp/192.0.2.1:37"};

}  // namespace

TEST(ABeacon, IsReadAsItWasWritten) {
  const auto read = BeaconText::parse(beacon_text("alpha", Seconds(30), some));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->host, "alpha");
  EXPECT_EQ(read->every, Seconds(30));
  EXPECT_EQ(read->left_out, 0u);
  ASSERT_EQ(read->services.size(), 2u);
  EXPECT_EQ(read->services[0], (BeaconEntry{
                                   "echo", {"tcp/7", "udp/7"}
  }));
  EXPECT_EQ(read->services[1], (BeaconEntry{"time", {"tcp/192.0.2.1:37"}}));
}

TEST(ABeacon, TellsHowManyServicesAreLeftOut) {
  const std::vector<std::string> many(200, "a-service-with-a-long-name tcp/12345 udp/12345");
  for (const std::size_t most : {100U, 500U, 1200U}) {
    const auto text = beacon_text("alpha", Seconds(30), many, most);
    EXPECT_LE(text.size(), most);
    const auto read = BeaconText::parse(text);
    ASSERT_TRUE(read) << text;
    EXPECT_GT(read->left_out, 0u);
    EXPECT_EQ(read->left_out + read->services.size(), many.size());
  }
}

TEST(ABeacon, OfNobodyIsNotRead) {
  for (const std::string_view wrong :
       {"", "superd-beacon 1\n", "superd-beacon 2\nhost a\n", "superd-beacon 1\nhost a", "superd-beacon 1\nhost a b\n",
        "superd-beacon 1\nhost a\nevery x\n", "superd-beacon 1\nhost a\nservice\n",
        "superd-beacon 1\nhost a\nservice echo\n", "superd-beacon 1\nhost a\nservice e\x1b tcp/7\n",
        "superd-beacon 1\nhost a\nservice echo ftp/7\n", "superd-beacon 1\nhost a\nleft-out -1\n"})
    EXPECT_FALSE(BeaconText::parse(wrong)) << wrong;
}

TEST(ABeacon, MaySayWhatOnlyLaterOnesKnow) {
  const auto read = BeaconText::parse("superd-beacon 1\nhost alpha\nweather fine\nservice echo tcp/7\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->services.size(), 1u);
}

TEST(ABeaconQuery, IsAsLongAsTheLongestAnswer) {
  EXPECT_EQ(beacon_query().size(), longest_beacon);
  EXPECT_TRUE(is_beacon_query(beacon_query()));
  EXPECT_FALSE(is_beacon_query(beacon_text("alpha", Seconds(30), some)));
}
