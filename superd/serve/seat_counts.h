#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "superd/base/counter.h"
#include "superd/base/shared_mutex.h"
#include "superd/serve/client_table.h"

namespace superd {

enum class SeatRefusal : std::uint8_t { full, client_has_enough, prefix_has_enough };

/// How many may be seated at once: in all, of one client, and of one /24 or /56.
struct SeatBounds {
  int level = 0;
  int per_client = 0;
  int per_prefix = 0;
};

/// The numbers of a Level, in memory that processes share: how many seats are taken, and by whom. Thread-safe.
///
/// In one process a seat costs a compare-and-swap, and a short lock when it is counted for a client. Once a process has
/// been announced (serve_in_processes()), every change is made under a robust lock and written down beforehand, so that
/// a process may be killed at any instruction: whoever comes next undoes what it left half done, and release() gives
/// back what it had.
class SeatCounts {
 public:
  /// For seats that are counted for no client.
  static constexpr ClientKey nobody{~std::uint64_t{0}, ~std::uint64_t{0}};

  /// Once, in zeroed memory; then set_bounds().
  void begin() noexcept;
  /// The same, where all who had seats have died at whatever they were doing; how many seats those were. The bounds and
  /// the peak stay.
  int begin_anew() noexcept;
  void set_bounds(const SeatBounds& bounds) noexcept;

  /// Takes a seat; `process` as serve_in_processes() says.
  std::optional<SeatRefusal> take(const ClientKey& client, std::uint32_t process) noexcept {
    if (is_in_processes()) return take_journaled(client, process);
    if (!count_one()) return SeatRefusal::full;
    return client == nobody ? std::nullopt : take_share(client);
  }
  /// Counts a seat of nobody's for `client` from now on.
  void charge(const ClientKey& client, std::uint32_t process) noexcept;
  void give_back(const ClientKey& client, std::uint32_t process) noexcept {
    if (is_in_processes()) return give_back_journaled(client, process);
    if (client != nobody) give_back_share(client);
    count_.fetch_sub(1, std::memory_order_seq_cst);
  }

  /// From now on several processes take seats: those that could die have numbers of their own, not 0, and tell them.
  void serve_in_processes() noexcept;
  [[nodiscard]] bool is_in_processes() const noexcept { return in_processes_.load(std::memory_order_relaxed); }
  /// Gives back all that a dead process had (0: all processes that have a number); how many seats that were. They are
  /// counted in `as`, where that is not null, before the level falls: who waits for that finds the count right.
  int release(std::uint32_t process, Counter* as) noexcept;

  // Sequentially consistent, so that who gives back and who asks for a vacancy cannot miss each other.
  [[nodiscard]] int count() const noexcept { return count_.load(std::memory_order_seq_cst); }
  [[nodiscard]] int level() const noexcept { return level_.load(std::memory_order_seq_cst); }
  [[nodiscard]] int per_client() const noexcept { return per_client_.load(std::memory_order_relaxed); }
  [[nodiscard]] int per_prefix() const noexcept { return per_prefix_.load(std::memory_order_relaxed); }
  [[nodiscard]] int peak() const noexcept { return peak_.load(std::memory_order_relaxed); }

  void cut() noexcept { is_cut_.store(true, std::memory_order_seq_cst); }
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_.load(std::memory_order_relaxed); }

 private:
  class Change;

  /// What the counts were before the change that is under way.
  struct Journal {
    struct Line {
      SeatKey key;
      std::uint32_t before;
    };
    bool is_open;
    std::uint32_t used;
    int count;
    std::array<Line, 4> lines;
  };

  bool count_one() noexcept {
    int seen = count_.load(std::memory_order_relaxed);
    do {
      if (seen >= level_.load(std::memory_order_relaxed)) return false;
    } while (!count_.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
    int peak = peak_.load(std::memory_order_relaxed);
    while (peak <= seen && !peak_.compare_exchange_weak(peak, seen + 1, std::memory_order_relaxed)) {
    }
    return true;
  }
  std::optional<SeatRefusal> take_share(const ClientKey&) noexcept;
  std::optional<SeatRefusal> take_journaled(const ClientKey&, std::uint32_t process) noexcept;
  void give_back_share(const ClientKey&) noexcept;
  void give_back_journaled(const ClientKey&, std::uint32_t process) noexcept;
  void make_room(int level) noexcept;
  void repair() noexcept;

  std::atomic<int> level_, per_client_, per_prefix_;
  std::atomic<bool> is_cut_, in_processes_;
  alignas(64) std::atomic<int> count_;  // written with each conversation: not beside what is only read
  std::atomic<int> peak_;
  alignas(64) FragileSharedMutex quick_mutex_;  // of one process
  SharedMutex mutex_;                           // of several
  Journal journal_;
  ClientTable clients_;
};

}  // namespace superd
