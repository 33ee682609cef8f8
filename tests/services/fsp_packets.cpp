#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "superd/services/fsp/directory.h"
#include "superd/services/fsp/packet.h"

using namespace superd;

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> built(const FspPacket& packet, FspWay way) {
  std::vector<std::byte> bytes(fsp::header + packet.data.size() + packet.extra.size());
  EXPECT_EQ(build_fsp(packet, way, bytes), bytes.size());
  return bytes;
}

}  // namespace

// Written down from fspcmd and the reference server, fspd 2.8.1.
TEST(AnFspPacket, HasTheBytesOfThePeersPackets) {
  const auto request = built({FspCommand::version, 0x3ff5, 0xaf18, 0, {}, {}}, FspWay::to_server);
  EXPECT_EQ(text_of(request), std::string("\x10\x19\x3f\xf5\xaf\x18\0\0\0\0\0\0", 12));

  const auto answer =
      bytes_of({"\x10\x87\x87\xb8\xaf\x18\0\x0e\0\0\0\x03"
                "fspd 2.8.1b30\0 \x05\xac",
                29});
  const auto packet = parse_fsp(answer, FspWay::to_client);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->key, 0x87b8);
  EXPECT_EQ(name_of_fsp(packet->data).name, "fspd 2.8.1b30");
  EXPECT_EQ(parse_fsp_version(packet->extra), (FspVersion{FspVersion::takes_extra, 0, 1452}));
  EXPECT_EQ(built(*packet, FspWay::to_client), answer);
}

TEST(AnFspPacket, ReadsBackAsItWasBuilt) {
  const auto data = bytes_of({"docs/readme\0", 12});
  const auto extra = bytes_of({"\x05\xdc", 2});
  for (const auto way : {FspWay::to_server, FspWay::to_client}) {
    const auto bytes = built({FspCommand::get_file, 1, 2, 0xfedcba98, data, extra}, way);
    const auto packet = parse_fsp(bytes, way);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->command, FspCommand::get_file);
    EXPECT_EQ(packet->key, 1);
    EXPECT_EQ(packet->sequence, 2);
    EXPECT_EQ(packet->position, 0xfedcba98);
    EXPECT_EQ(text_of(packet->data), text_of(data));
    EXPECT_EQ(text_of(packet->extra), text_of(extra));
    EXPECT_EQ(key_of_fsp(bytes), 1);
    EXPECT_EQ(wanted_size_of_fsp(packet->extra), 1500);
  }
}

TEST(AnFspPacket, MayBeBuiltAroundDataThatAreInPlace) {
  std::vector<std::byte> room(fsp::header + 5);
  std::memcpy(&room[fsp::header], "hello", 5);
  const auto size =
      build_fsp({FspCommand::get_file, 1, 2, 3, std::span(room).subspan(fsp::header), {}}, FspWay::to_client, room);
  EXPECT_EQ(size, room.size());
  EXPECT_EQ(text_of(parse_fsp(room, FspWay::to_client)->data), "hello");
}

TEST(AnFspPacket, IsRefusedWhenAnyByteIsChanged) {
  const auto data = bytes_of({"some/file\0", 10});
  const auto good = built({FspCommand::stat, 7, 8, 0, data, {}}, FspWay::to_server);
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= std::byte{0x10};
    EXPECT_FALSE(parse_fsp(bad, FspWay::to_server)) << at;
  }
}

TEST(AnFspPacket, IsRefusedWhenItIsCutShortOrWentTheOtherWay) {
  const auto data = bytes_of({"some/file\0", 10});
  const auto good = built({FspCommand::stat, 7, 8, 0, data, {}}, FspWay::to_server);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(parse_fsp(std::span(good).first(size), FspWay::to_server)) << size;
  EXPECT_FALSE(parse_fsp(good, FspWay::to_client));
}

TEST(AnFspName, EndsAtItsNulAndMayHaveAPassword) {
  EXPECT_EQ(name_of_fsp(bytes_of({"a/b\0rest", 8})).name, "a/b");
  EXPECT_EQ(name_of_fsp(bytes_of("unended")).name, "unended");
  EXPECT_EQ(name_of_fsp({}).name, "");
  const auto data = bytes_of({"a/b\nsecret\0", 11});
  EXPECT_EQ(name_of_fsp(data).name, "a/b");
  EXPECT_EQ(name_of_fsp(data).password, "secret");
}

TEST(AnFspStat, ReadsBack) {
  std::vector<std::byte> bytes(FspStat::bytes);
  const FspStat stat{1'700'000'000, 4'000'000'000, FspType::directory};
  write_fsp_stat(stat, bytes.data());
  EXPECT_EQ(parse_fsp_stat(bytes), stat);
  EXPECT_FALSE(parse_fsp_stat(std::span(bytes).first(8)));
}

TEST(AnFspVersion, ReadsBackAndMayBeAnOldOne) {
  const FspVersion slow{FspVersion::is_throttled | FspVersion::takes_extra, 100'000, 1400};
  EXPECT_EQ(parse_fsp_version(superd::bytes_of(slow)), slow);
  const FspVersion plain{FspVersion::read_only, 0, 8192};
  EXPECT_EQ(parse_fsp_version(superd::bytes_of(plain)), plain);
  EXPECT_EQ(parse_fsp_version(bytes_of("\x02")), (FspVersion{FspVersion::read_only, 0, 0}));
  EXPECT_FALSE(parse_fsp_version({}));
}

TEST(AnFspListing, ReadsBackFromBlocksOfEachSize) {
  std::mt19937 random(7);
  std::vector<FspEntry> entries;
  for (int i = 0; i < 200; ++i) {
    const auto type = i % 3 ? FspType::file : FspType::directory;
    entries.push_back({
        {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(random()), type},
        std::string(1 + random() % 255, static_cast<char>('a' + i % 26))
    });
  }
  for (const std::size_t block : {smallest_fsp_block, std::size_t{512}, fsp::payload, std::size_t{8192}}) {
    const auto listing = fsp_listing(entries, block);
    std::vector<FspEntry> found;
    std::size_t at = 0;
    bool goes_on = true;
    while (goes_on && at < listing.size()) {
      const auto part = std::span(listing).subspan(at, std::min(block, listing.size() - at));
      goes_on = parse_fsp_block(part, found);
      at += part.size();
    }
    EXPECT_FALSE(goes_on) << block;
    EXPECT_EQ(at, listing.size()) << block;
    EXPECT_EQ(found, entries) << block;
  }
}

TEST(AnFspListing, OfNothingIsAnEnd) {
  std::vector<FspEntry> found;
  const auto listing = fsp_listing({}, fsp::payload);
  EXPECT_EQ(listing.size(), 12U);
  EXPECT_FALSE(parse_fsp_block(listing, found));
  EXPECT_TRUE(found.empty());
}

TEST(AnFspBlock, EndsWhereAnEntryIsCutShort) {
  const auto listing = fsp_listing(
      std::vector<FspEntry>{
          {{1, 2, FspType::file}, "name"}
  },
      fsp::payload);
  std::vector<FspEntry> found;
  EXPECT_FALSE(parse_fsp_block(std::span(listing).first(12), found));
  EXPECT_TRUE(parse_fsp_block(std::span(listing).first(8), found));
  EXPECT_TRUE(found.empty());
}
