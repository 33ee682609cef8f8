#include "superd/base/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>
#include <vector>

using namespace superd;

namespace {

using Nanos = std::chrono::nanoseconds;

/// Durations from a nanosecond to an hour, as many of each order of magnitude.
std::vector<Nanos> durations(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> logarithm(0.0, std::log(3.6e12));
  std::vector<Nanos> all;
  for (int i = 0; i < count; ++i) all.emplace_back(static_cast<Nanos::rep>(std::exp(logarithm(random))));
  return all;
}

double as_double(Nanos value) { return static_cast<double>(value.count()); }

}  // namespace

TEST(AHistogram, IsEmptyAtFirst) {
  const Histogram histogram;
  const auto seen = histogram.snapshot();
  EXPECT_EQ(seen.count(), 0U);
  EXPECT_EQ(seen.sum(), Nanos{0});
  EXPECT_EQ(seen.max(), Nanos{0});
  EXPECT_EQ(seen.quantile(0.5), Nanos{0});
}

TEST(AHistogram, KnowsEachQuantileToOneInAHundred) {
  for (unsigned seed = 0; seed < 5; ++seed) {
    auto model = durations(10'000, seed);
    Histogram histogram;
    for (const auto value : model) histogram.add(value);
    std::ranges::sort(model);
    const auto seen = histogram.snapshot();
    EXPECT_EQ(seen.count(), model.size());
    EXPECT_EQ(seen.max(), model.back());
    for (const double share : {0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = std::max(1.0, std::ceil(share * static_cast<double>(model.size())));
      const auto right = as_double(model[static_cast<std::size_t>(rank) - 1]);
      EXPECT_NEAR(as_double(seen.quantile(share)), right, right * 0.01) << share;
    }
    double sum = 0;
    for (const auto value : model) sum += as_double(value);
    EXPECT_NEAR(as_double(seen.sum()), sum, sum * 0.01);
  }
}

TEST(AHistogram, IsExactBelow128Nanoseconds) {
  for (int value = 0; value < 128; ++value) {
    Histogram histogram;
    histogram.add(Nanos{value});
    EXPECT_EQ(histogram.snapshot().quantile(1), Nanos{value});
    EXPECT_EQ(histogram.snapshot().sum(), Nanos{value});
  }
}

TEST(AHistogram, CountsWhatIsBeyondItsBounds) {
  Histogram histogram;
  histogram.add(Nanos{-5});
  histogram.add(std::chrono::hours{100});
  const auto seen = histogram.snapshot();
  EXPECT_EQ(seen.count(), 2U);
  EXPECT_EQ(seen.quantile(0.5), Nanos{0});
  EXPECT_EQ(seen.max(), std::chrono::hours{100});
  EXPECT_GE(seen.quantile(1), std::chrono::hours{1});
}

TEST(AHistogram, TellsAMaximumNoLaterThanItsBucket) {
  // A reader between the two stores of add() must not believe that the longest was shorter than what it counts.
  Histogram histogram;
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::jthread reader([&] {
    while (!done) {
      const auto seen = histogram.snapshot();
      if (seen.count() > 0 && seen.quantile(1) < Nanos{900}) ++wrong;
    }
  });
  for (int i = 0; i < 20'000; ++i) histogram.add(Nanos{1'000 + i});
  done = true;
  reader.join();
  EXPECT_EQ(wrong, 0);
}

TEST(AHistogram, LosesNothingBetweenThreads) {
  Histogram histogram;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 10'000; ++i) histogram.add(Nanos{(t + 1) * 100});
      });
  }
  const auto seen = histogram.snapshot();
  EXPECT_EQ(seen.count(), 80'000U);
  EXPECT_EQ(seen.max(), Nanos{800});
}
