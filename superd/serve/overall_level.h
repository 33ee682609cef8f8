#pragma once

#include <algorithm>
#include <atomic>
#include <utility>

#include "superd/base/shared_memory.h"

namespace superd {

/// The conversations of all services together, and the bound on them: beside the level of each, in memory that their
/// processes share. Made before they are forked, or from memory that was handed over. Thread-safe.
///
/// A process that is killed between the two counts leaves this one too high by one; heal() finds that out.
class OverallLevel {
 public:
  explicit OverallLevel(int level) : OverallLevel(SharedMemory("superd overall level", sizeof(Numbers)), level) {}
  /// `memory`: zeroed, or another process's.
  OverallLevel(SharedMemory memory, int level) : memory_(std::move(memory)), numbers_(memory_.as<Numbers>()) {
    numbers_.level.store(level, std::memory_order_relaxed);
  }

  /// Before the seat of a service is taken. False: the level is reached.
  bool take() noexcept {
    int seen = numbers_.count.load(std::memory_order_relaxed);
    do {
      if (seen >= numbers_.level.load(std::memory_order_relaxed)) return false;
    } while (!numbers_.count.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
    return true;
  }
  /// After the seats were given back.
  void give_back(int seats) noexcept { numbers_.count.fetch_sub(seats, std::memory_order_relaxed); }

  void change(int level) noexcept { numbers_.level.store(level, std::memory_order_relaxed); }
  [[nodiscard]] int vacant() const noexcept {
    return numbers_.level.load(std::memory_order_relaxed) - numbers_.count.load(std::memory_order_relaxed);
  }
  [[nodiscard]] int count() const noexcept { return numbers_.count.load(std::memory_order_relaxed); }

  /// To be called about once a second with the sum over all services. What is too much at three looks in a row is nobody's;
  /// for moments, a seat that is being taken is too much as well. One thread.
  void heal(int sum) noexcept {
    const int excess = count() - sum;
    const int lasting = std::min({excess, excess_[0], excess_[1]});
    excess_[1] = std::exchange(excess_[0], excess);
    if (lasting <= 0) return;
    give_back(lasting);
    excess_[0] = excess_[1] = 0;
  }

 private:
  struct Numbers {
    std::atomic<int> level;
    alignas(64) std::atomic<int> count;
  };

  SharedMemory memory_;
  Numbers& numbers_;
  int excess_[2] = {0, 0};
};

}  // namespace superd
