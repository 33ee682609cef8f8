#include "superd/base/load_average.h"

#include <sys/sysinfo.h>

#include <atomic>

namespace superd {

namespace {

std::atomic<Clock::rep> look_again{Clock::duration::min().count()};
std::atomic<double> last_seen{0};

double look() noexcept {
  struct sysinfo info{};
  if (sysinfo(&info) != 0) return 0;
  return static_cast<double>(info.loads[0]) / (1 << SI_LOAD_SHIFT);
}

}  // namespace

double load_average(Time now) noexcept {
  constexpr Clock::duration interval = Seconds(1);
  auto due = look_again.load(std::memory_order_relaxed);
  const auto at = now.time_since_epoch();
  if (at.count() >= due && look_again.compare_exchange_strong(due, (at + interval).count(), std::memory_order_relaxed))
    last_seen.store(look(), std::memory_order_relaxed);
  return last_seen.load(std::memory_order_relaxed);
}

}  // namespace superd
