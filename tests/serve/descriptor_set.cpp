#include "superd/serve/descriptor_set.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

using namespace superd;

namespace {
std::vector<int> all_of(const DescriptorSet& set) {
  std::vector<int> all;
  set.each([&](int fd) { all.push_back(fd); });
  return all;
}
}  // namespace

TEST(ADescriptorSet, HoldsWhatWasAddedUntilItIsRemoved) {
  DescriptorSet set;
  for (const int fd : {0, 63, 64, 100'000, DescriptorSet::most - 1}) set.add(fd);
  set.add(64);
  set.remove(63);
  set.remove(65);
  set.remove(5'000'000);
  EXPECT_EQ(all_of(set), (std::vector{0, 64, 100'000, DescriptorSet::most - 1}));
}

TEST(ADescriptorSet, LeavesOutWhatIsNoneOrBeyondAll) {
  DescriptorSet set;
  set.add(-1);
  set.add(DescriptorSet::most);
  set.remove(DescriptorSet::most);
  EXPECT_TRUE(all_of(set).empty());
}

TEST(ADescriptorSet, LosesNothingBetweenThreads) {
  DescriptorSet set;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int round = 0; round < 200; ++round)
          for (int fd = t; fd < 40'000; fd += 401) {
            set.add(fd * 4 + t);
            if (round < 199) set.remove(fd * 4 + t);
          }
      });
  }
  std::size_t wanted = 0;
  for (int t = 0; t < 4; ++t)
    for (int fd = t; fd < 40'000; fd += 401) ++wanted;
  EXPECT_EQ(all_of(set).size(), wanted);
}
