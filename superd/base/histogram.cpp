#include "superd/base/histogram.h"

#include <cmath>

namespace superd {

Histogram::Snapshot Histogram::snapshot() const noexcept {
  Snapshot all;
  std::size_t last = 0;
  for (std::size_t i = 0; i < size; ++i) {
    all.buckets_[i] = buckets_[i].load(std::memory_order_relaxed);
    all.count_ += all.buckets_[i];
    if (all.buckets_[i]) last = i;
  }
  // Whoever adds counts first: its maximum may come a moment later.
  all.max_ = Clock::duration(std::max(max_.load(std::memory_order_relaxed), bucket_of(last).least));
  return all;
}

Clock::duration Histogram::Snapshot::sum() const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += buckets_[i] * bucket_of(i).middle();
  return Clock::duration(sum);
}

Clock::duration Histogram::Snapshot::quantile(double share) const noexcept {
  if (count_ == 0) return {};
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  const auto wanted = std::clamp<std::uint64_t>(rank, 1, count_);
  std::uint64_t seen = 0;
  std::size_t index = 0;
  while ((seen += buckets_[index]) < wanted) ++index;
  // The middle of the last bucket may lie beyond all that is in it.
  return std::min(Clock::duration(bucket_of(index).middle()), max_);
}

}  // namespace superd
