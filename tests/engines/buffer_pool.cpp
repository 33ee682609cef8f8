#include "superd/engines/buffer_pool.h"

#include <gtest/gtest.h>

#include <set>

using namespace superd;

TEST(ABufferPool, HasOneHotBufferWhileNobodyKeepsIt) {
  BufferPool pool;
  auto* first = pool.current().data();
  EXPECT_EQ(pool.current().size(), BufferPool::size);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(pool.current().data(), first);
    pool.give_back(pool.lend());
  }
}

TEST(ABufferPool, TakesAnotherOneWhileTheFirstIsKept) {
  BufferPool pool;
  (void)pool.current();
  auto* kept = pool.lend();
  kept[0] = std::byte{1};
  auto* other = pool.current().data();
  EXPECT_NE(other, kept);
  other[0] = std::byte{2};
  EXPECT_EQ(kept[0], std::byte{1});
  pool.give_back(kept);
  EXPECT_EQ(pool.current().data(), other);
}

TEST(ABufferPool, UsesAgainWhatCameBack) {
  BufferPool pool;
  std::vector<std::byte*> lent;
  for (int i = 0; i < 8; ++i) {
    (void)pool.current();
    lent.push_back(pool.lend());
  }
  const std::set<std::byte*> known(lent.begin(), lent.end());
  EXPECT_EQ(known.size(), lent.size());
  for (auto* buffer : lent) pool.give_back(buffer);
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(known.contains(pool.current().data()));
    (void)pool.lend();
  }
  // Whoever keeps a buffer owns it: without this they would be lost.
  for (auto* buffer : known) pool.give_back(buffer);
}

TEST(ABufferPool, SurvivesACrowdThatComesAndGoes) {
  BufferPool pool;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::byte*> lent;
    for (int i = 0; i < 100; ++i) {
      pool.current()[0] = std::byte(i);
      lent.push_back(pool.lend());
    }
    for (int i = 0; i < 100; ++i) EXPECT_EQ(lent[static_cast<std::size_t>(i)][0], std::byte(i));
    for (auto* buffer : lent) pool.give_back(buffer);
  }
}
