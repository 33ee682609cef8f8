#pragma once

#include <atomic>
#include <cstdint>

namespace superd {

/// A number that many threads add to and anyone may read. Relaxed: a counter orders nothing.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  /// Raises the counter to `n`; for totals that are kept elsewhere, such as the kernel's drops.
  void raise_to(std::uint64_t n) noexcept {
    auto seen = value_.load(std::memory_order_relaxed);
    while (seen < n && !value_.compare_exchange_weak(seen, n, std::memory_order_relaxed)) {
    }
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace superd
