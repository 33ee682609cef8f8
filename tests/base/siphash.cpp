#include "superd/base/siphash.h"

#include <gtest/gtest.h>

#include <vector>

using namespace superd;

namespace {

std::vector<std::byte> counted(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

constexpr SipHash::Secret counted_secret{0x0706050403020100, 0x0f0e0d0c0b0a0908};

}  // namespace

// From appendix A of the paper, and the authors' list of vectors.
TEST(ASipHash, HasTheValuesOfItsAuthors) {
  const SipHash hash(counted_secret);
  EXPECT_EQ(hash(counted(15)), 0xa129ca6149be45e5);
  EXPECT_EQ(hash({}), 0x726fdb47dd0e0e31);
  EXPECT_EQ(hash(counted(8)), 0x93f5f5799a932462);
}

TEST(ASipHash, DependsOnItsSecret) { EXPECT_NE(SipHash({1, 2})(counted(8)), SipHash({1, 3})(counted(8))); }
