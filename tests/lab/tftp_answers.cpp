#include <gtest/gtest.h>

#include <string>

#include "superd/lab/round_trip.h"
#include "superd/lab/tftp_packets.h"

using namespace superd;

namespace {

std::optional<TftpAnswer> parsed(const std::string& text) { return parse_tftp_answer(std::as_bytes(std::span(text))); }

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST(ATftpAnswer, IsDataAcknowledgementErrorOrOptions) {
  const std::string data("\0\3\1\2hello", 9), acknowledged("\0\4\xff\xff", 4), failed("\0\5\0\1not here\0", 13);
  const std::string options(
      "\0\6BLKSIZE\0"
      "1428\0tsize\0"
      "0\0",
      23);
  EXPECT_EQ(parsed(data)->number, 0x102);
  EXPECT_EQ(parsed(data)->data.size(), 5U);
  EXPECT_EQ(parsed(acknowledged)->number, 0xffff);
  EXPECT_EQ(parsed(failed)->text, "not here");
  const auto granted = parsed(options);
  ASSERT_TRUE(granted);
  EXPECT_EQ(granted->options, (std::vector<std::pair<std::string, std::uint64_t>>{
                                  {"blksize", 1428},
                                  {"tsize",   0   }
  }));
}

TEST(ATftpAnswer, IsRefusedWhenItIsSomethingElse) {
  using namespace std::string_literals;
  for (const auto& bad : {""s, "\0"s, "\0\3\0"s, "\0\4"s, "\0\1x\0octet\0"s, "\0\7\0\0"s, "\0\6blksize\0"s,
                          "\0\6blksize\0x\0"s, "\0\6\0"s, "\0\6blksize\0-1\0"s,
                          "\0\6a\0"
                          "99999999999999999999\0"s})
    EXPECT_FALSE(parsed(bad)) << bad.size();
}

TEST(ATftpRequest, HasItsOptions) {
  EXPECT_EQ(text_of(tftp_request(false, "name",
                                 {
                                     {"tsize", 0}
  })),
            std::string("\0\1name\0octet\0tsize\0"
                        "0\0",
                        21));
  EXPECT_EQ(text_of(tftp_request(true, "x", {})), std::string("\0\2x\0octet\0", 10));
  EXPECT_EQ(text_of(tftp_acknowledgement(258)), std::string("\0\4\1\2", 4));
}

TEST(ARoundTrip, IsWaitedForAsItWasMeasured) {
  RoundTrip trip;
  EXPECT_EQ(trip.timeout(0), RoundTrip::first);
  for (int i = 0; i < 50; ++i) trip.note(Millis(100));
  EXPECT_GE(trip.timeout(0), Millis(100));
  EXPECT_LE(trip.timeout(0), Millis(120));
  for (int i = 0; i < 50; ++i) trip.note(std::chrono::microseconds(50));
  EXPECT_EQ(trip.timeout(0), RoundTrip::least);
}

TEST(ARoundTrip, IsWaitedForLongerEachTimeUpToABound) {
  RoundTrip trip;
  trip.note(Millis(1));
  for (int tries = 0; tries < 100; ++tries) {
    EXPECT_LE(trip.timeout(tries), trip.timeout(tries + 1));
    EXPECT_LE(trip.timeout(tries), RoundTrip::most);
  }
  EXPECT_EQ(trip.timeout(1), RoundTrip::least * 3 / 2);
  EXPECT_EQ(trip.timeout(1000), RoundTrip::most);
}
