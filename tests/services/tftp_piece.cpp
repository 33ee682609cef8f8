#include <gtest/gtest.h>

#include "superd/services/tftp/file_piece.h"

using namespace superd::tftp;

namespace {

// A file whose byte at n is n, as far as it goes.
void fill(FilePiece& piece, std::uint64_t offset, std::size_t file_size) {
  const auto room = piece.begin(offset, piece.size());
  const auto count = std::min<std::size_t>(room.size(), file_size - offset);
  for (std::size_t i = 0; i < count; ++i) room[i] = static_cast<std::byte>(offset + i);
  piece.note_filled(count);
}

}  // namespace

TEST(APieceOfAFile, HasNothingAtFirst) { EXPECT_FALSE(FilePiece(100).has(0, 10)); }

TEST(APieceOfAFile, HasWhatWasRead) {
  FilePiece piece(100);
  fill(piece, 50, 1000);
  EXPECT_FALSE(piece.has(49, 1));
  EXPECT_TRUE(piece.has(50, 100));
  EXPECT_TRUE(piece.has(140, 10));
  EXPECT_FALSE(piece.has(141, 10));
  EXPECT_FALSE(piece.has(200, 1));
  EXPECT_EQ(piece.take(60, 10).front(), std::byte{60});
  EXPECT_EQ(piece.take(60, 10).size(), 10u);
}

TEST(APieceOfAFile, HasAllOfItsEnd) {
  FilePiece piece(100);
  fill(piece, 50, 120);
  EXPECT_TRUE(piece.has(110, 100));
  EXPECT_EQ(piece.take(110, 100).size(), 10u);
  EXPECT_TRUE(piece.has(120, 100)) << "nothing, which is what the last block of a file may be";
  EXPECT_EQ(piece.take(120, 100).size(), 0u);
  EXPECT_FALSE(piece.has(121, 100));
}

TEST(APieceOfAFile, DoesNotKnowOfTheEndWhereItIsFullToIt) {
  FilePiece piece(100);
  fill(piece, 0, 100);
  EXPECT_FALSE(piece.has(100, 10));
  fill(piece, 100, 100);
  EXPECT_TRUE(piece.has(100, 10));
}

TEST(APieceOfAFile, HasNoLongerWhatAHeadMayHaveTakenThePlaceOf) {
  FilePiece piece(100);
  fill(piece, 0, 1000);
  const auto block = piece.take(40, 20);
  std::fill_n(block.data() - head_size, head_size, std::byte{0xff});
  EXPECT_TRUE(piece.has(40, 20));
  EXPECT_FALSE(piece.has(20, 20));
  EXPECT_EQ(piece.take(60, 20).front(), std::byte{60});
  EXPECT_FALSE(piece.has(40, 20));
}

TEST(APieceOfAFile, HasRoomForAHeadBeforeItsFirstByte) {
  FilePiece piece(8);
  fill(piece, 0, 1000);
  auto block = piece.take(0, 8);
  std::fill_n(block.data() - head_size, head_size, std::byte{0xff});
  EXPECT_EQ(block.front(), std::byte{0});
}
