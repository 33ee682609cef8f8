#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "superd/base/counter.h"

using namespace superd;

TEST(ACounter, LosesNothingBetweenThreads) {
  Counter counter;
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 10'000; ++n) counter.add();
    });
  threads.clear();
  EXPECT_EQ(counter.value(), 40'000U);
}

TEST(ACounter, IsRaisedButNeverLowered) {
  Counter counter;
  counter.raise_to(7);
  counter.raise_to(3);
  EXPECT_EQ(counter.value(), 7U);
}
