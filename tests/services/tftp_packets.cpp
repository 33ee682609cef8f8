#include <gtest/gtest.h>

#include <string>

#include "superd/services/tftp/grant.h"
#include "superd/services/tftp/packet.h"

using namespace superd;
using namespace superd::tftp;
using namespace std::string_literals;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text(std::span<const std::byte> packet) {
  return {reinterpret_cast<const char*>(packet.data()), packet.size()};
}

Options options_of(std::string_view words) {
  const auto packet = "\0\1name\0octet\0"s + std::string(words);
  return parse_request(bytes(packet)).value().options;
}

Grant reading(std::string_view words, const FileSettings& settings = {}, std::uint64_t size = 1000) {
  const auto packet = "\0\1name\0octet\0"s + std::string(words);
  return grant_reading(parse_request(bytes(packet)).value(), settings, size);
}

}  // namespace

TEST(ATftpRequest, HasANameAndAModeInAnyCase) {
  const auto packet = "\0\2a/b c\0NetASCII\0"s;
  const auto request = parse_request(bytes(packet)).value();
  EXPECT_TRUE(request.writes);
  EXPECT_TRUE(request.is_text);
  EXPECT_EQ(request.name, "a/b c");
  EXPECT_FALSE(request.options.any());
}

TEST(ATftpRequest, HasOptionsInAnyCaseOfWhichTheFirstHolds) {
  EXPECT_EQ(options_of("BLKSIZE\0001428\0TimeOut\0003\0tsize\0000\0windowsize\00016\0blksize\0009\0"s),
            (Options{.block_size = 1428, .timeout = 3, .size = 0, .window_size = 16}));
}

TEST(ATftpRequest, MayAskForWhatNobodyKnowsOrNobodyCanGive) {
  EXPECT_FALSE(options_of("multicast\0\0blksize\0x\0timeout\0000\0windowsize\0000\0tsize\0-1\0"s).any());
  EXPECT_FALSE(options_of("blksize\0007\0timeout\000256\0"s).any());
  EXPECT_EQ(options_of("blksize\00099999999999999999999999\0"s).block_size, largest_block);
  EXPECT_EQ(options_of("windowsize\000100000\0"s).window_size, 65'535U);
  EXPECT_EQ(options_of("blksize\000000512\0"s).block_size, 512U);
}

TEST(ATftpRequest, IsRefusedWhenItIsNone) {
  for (const auto& packet :
       {""s, "\0"s, "\0\1"s, "\0\1a"s, "\0\1a\0"s, "\0\1a\0octet"s, "\0\1\0octet\0"s, "\0\1a\0mail\0"s,
        "\0\1a\0octet\0x\0"s, "\0\1a\0octet\0x"s, "\0\3\0\1x"s, "\0\7ab"s, "\0\1a\0octet\0"s + std::string(600, 'x')})
    EXPECT_EQ(parse_request(bytes(packet)).error().code, Code::illegal) << packet;
}

TEST(ATftpPacket, IsDataAnAcknowledgementOrAnError) {
  const auto packet = "\0\3\1\2hello"s;
  const auto data = parse_packet(bytes(packet)).value();
  EXPECT_EQ(data.opcode, Opcode::data);
  EXPECT_EQ(data.number, 258);
  EXPECT_EQ(text(data.rest), "hello");
  for (const auto& other : {""s, "\0\3\1"s, "\0\1ab"s, "\0\6ab"s, "\1\3ab"s})
    EXPECT_FALSE(parse_packet(bytes(other))) << other;
}

TEST(ATftpPacket, IsBuiltAsTheRfcsHaveIt) {
  EXPECT_EQ(text(head_of(Opcode::ack, 65'534)), "\0\4\xff\xfe"s);
  EXPECT_EQ(text(error_packet(Code::not_found, "gone")), "\0\5\0\1gone\0"s);
  EXPECT_EQ(text(oack_packet({.block_size = 8, .timeout = {}, .size = 0, .window_size = {}})),
            "\0\6blksize\0008\0tsize\0000\0"s);
}

TEST(WhatIsGranted, IsAtMostWhatTheServiceAllows) {
  const FileSettings settings{.tree = "/", .block_size = 1000, .window_size = 9};
  const auto grant = reading("blksize\0001428\0windowsize\00064\0tsize\0000\0"s, settings, 77);
  EXPECT_EQ(grant.block_size, 1000U);
  EXPECT_EQ(grant.window, 9U);
  EXPECT_EQ(grant.told, (Options{.block_size = 1000, .timeout = {}, .size = 77, .window_size = 9}));
  EXPECT_EQ(reading("blksize\000512\0"s, settings).block_size, 512U);
}

TEST(WhatIsGranted, IsNothingToWhoAsksForNothing) {
  EXPECT_FALSE(reading("").told.any());
  EXPECT_EQ(reading("").block_size, 512U);
}

TEST(WhatIsGranted, IsNoWindowForText) {
  const auto packet = "\0\1name\0netascii\0windowsize\0008\0tsize\0000\0blksize\000600\0"s;
  const auto grant = grant_reading(parse_request(bytes(packet)).value(), {}, 1000);
  EXPECT_EQ(grant.told, (Options{.block_size = 600, .timeout = {}, .size = {}, .window_size = {}}));
}

TEST(WhatIsGranted, FitsTheBufferOfTheSocketWhereAClientSends) {
  const auto packet = "\0\2name\0octet\0blksize\00065464\0windowsize\00064\0"s;
  EXPECT_EQ(grant_writing(parse_request(bytes(packet)).value(), {}).window, 2U);
}
