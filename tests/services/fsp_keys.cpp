#include "superd/services/fsp/done_before.h"
#include "superd/services/fsp/keys.h"
#include "superd/services/fsp/strangers.h"
#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

const Time start = Time{} + std::chrono::hours(5);

int admitted(FspStrangers& strangers, const Endpoint& from, Time since, int seconds) {
  int count = 0;
  for (int i = 0; i < seconds * 10; ++i) count += strangers.admit(from, since + Millis(100) * i);
  return count;
}

}  // namespace

TEST(AnFspKey, IsTheSameForAllPortsOfAnAddress) {
  const FspKeys keys;
  EXPECT_EQ(keys.key_for(endpoint("192.0.2.1:1000"), start), keys.key_for(endpoint("192.0.2.1:2000"), start));
  EXPECT_EQ(keys.key_for(endpoint("192.0.2.1:1000"), start), keys.key_for(endpoint("[::ffff:192.0.2.1]:1000"), start));
}

TEST(AnFspKey, TellsAddressesApart) {
  const FspKeys keys;
  int same = 0;
  for (int i = 1; i < 100; ++i) {
    const auto other = endpoint("192.0.2." + std::to_string(i) + ":1000");
    same += keys.is_right(keys.key_for(other, start), endpoint("198.51.100.1:1000"), start);
  }
  EXPECT_LE(same, 2);
  EXPECT_NE(keys.key_for(endpoint("[2001:db8::1]:1"), start), keys.key_for(endpoint("[2001:db8::2]:1"), start));
}

TEST(AnFspKey, HoldsForAMinuteAndNotForThree) {
  const FspKeys keys;
  const auto from = endpoint("192.0.2.1:1000");
  const auto key = keys.key_for(from, start);
  EXPECT_TRUE(keys.is_right(key, from, start));
  EXPECT_TRUE(keys.is_right(key, from, start + Seconds(60)));
  EXPECT_FALSE(keys.is_right(key, from, start + Seconds(180)));
  EXPECT_FALSE(keys.is_right(static_cast<std::uint16_t>(key + 1), from, start) &&
               keys.is_right(static_cast<std::uint16_t>(key + 2), from, start));
}

TEST(AnFspKey, IsAnotherOneOfEachServer) {
  int same = 0;
  for (int i = 0; i < 20; ++i)
    same += FspKeys().key_for(endpoint("192.0.2.1:1"), start) == FspKeys().key_for(endpoint("192.0.2.1:1"), start);
  EXPECT_LE(same, 1);
}

TEST(AnFspStranger, IsAnsweredOnceAndAFewTimesAgain) {
  FspStrangers strangers;
  const auto from = endpoint("192.0.2.1:1000");
  EXPECT_TRUE(strangers.admit(from, start));
  EXPECT_FALSE(strangers.admit(from, start));
  EXPECT_FALSE(strangers.admit(from, start + Millis(900)));
  EXPECT_TRUE(strangers.admit(from, start + Seconds(1)));
  EXPECT_EQ(admitted(strangers, from, start + Seconds(2), 57), FspStrangers::answers - 2);
  EXPECT_TRUE(strangers.admit(from, start + Seconds(60)));
}

TEST(AnFspStranger, CannotMakeUpPorts) {
  FspStrangers strangers;
  int count = 0;
  for (int port = 1000; port < 2000; ++port)
    count += strangers.admit(endpoint("192.0.2.1:" + std::to_string(port)), start);
  EXPECT_EQ(count, static_cast<int>(FspStrangers::ports));
  EXPECT_TRUE(strangers.admit(endpoint("192.0.2.2:1000"), start)) << "another address has its own";
}

TEST(AnFspStranger, GivesItsPlaceBackWithItsKey) {
  FspStrangers strangers;
  for (int port = 1000; port < 2000; ++port) {
    const auto from = endpoint("192.0.2.1:" + std::to_string(port));
    EXPECT_TRUE(strangers.admit(from, start));
    strangers.recognise(from);
  }
}

TEST(AnFspStranger, OfAFloodOfAddressesDrivesOutOthersOnly) {
  FspStrangers strangers;
  int count = 0;
  for (int i = 0; i < 20'000; ++i)
    count += strangers.admit(endpoint("10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
                                      std::to_string(i % 256) + ":1"),
                             start);
  EXPECT_EQ(count, 20'000);
}

TEST(WhatWasDoneBefore, IsKnownToWhoAsksTheSameAgain) {
  FspDoneBefore done;
  const auto client = endpoint("192.0.2.1:1000");
  std::vector<std::byte> request(20, std::byte{7});
  EXPECT_FALSE(done.has(client, request, start));
  done.note(client, request, start);
  EXPECT_TRUE(done.has(client, request, start + Seconds(59)));
  EXPECT_FALSE(done.has(client, request, start + Seconds(60)));
  EXPECT_FALSE(done.has(endpoint("192.0.2.1:1001"), request, start));

  auto again = request;
  again[1] = again[2] = again[5] = std::byte{9};  // checksum, key, and the number of the try
  EXPECT_TRUE(done.has(client, again, start));
  request.back() = std::byte{8};
  EXPECT_FALSE(done.has(client, request, start));
}
