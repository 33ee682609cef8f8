#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "superd/base/thread.h"
#include "superd/designs/baton.h"
#include "superd/designs/decisions.h"
#include "superd/designs/patience.h"

namespace superd {

/// What a Watch looks at.
class Watched {
 public:
  virtual ~Watched() = default;
  [[nodiscard]] virtual Baton::Turn turn() const noexcept = 0;
  /// The turn has lasted too long: hands the others over to another thread. False: it ended meanwhile, or there is no
  /// thread to be had.
  virtual bool hand_over(Baton::Turn) noexcept = 0;
  /// The thread that has the turn, by its gettid(2); 0: nobody knows.
  [[nodiscard]] virtual pid_t thread() const noexcept { return 0; }
};

/// The thread that looks whether a conversation keeps others waiting. It sleeps while nothing runs: the first
/// conversation that finds it unarmed arms it, nobody disarms it, and when it comes up it compares turns. While
/// conversations are short, begin and end of one cost it no system call and no more than a look at a shared word.
///
/// Thread-safe. What it watches must be removed before it dies.
class Watch {
 public:
  Watch(std::optional<Patience::Nanos> fixed, Decisions& decisions) : patience_(fixed), decisions_(decisions) {}
  ~Watch();

  Result<> start();
  void add(Watched&);
  /// After it, `watched` is not touched any more.
  void remove(Watched& watched) noexcept;

  /// To be called after each Baton::begin().
  void arm() noexcept {
    if (!armed_.load(std::memory_order_relaxed)) arm_now();
  }

  /// Most conversations are late: whoever takes one up should hand the others over before.
  [[nodiscard]] bool hands_over_at_once() const noexcept { return at_once_.load(std::memory_order_relaxed); }

  /// The new thread has begun to lead, so long after it was asked for, because somebody was late or at once.
  void note_hand_over(Patience::Nanos cost, bool was_late) noexcept;
  /// A conversation that was begun after handing over at once has ended, after so long.
  void note_duration(Patience::Nanos served) noexcept;

  struct State {
    Patience::Nanos period, cost;
    double late_share;
    bool at_once;
    std::uint64_t looks, hand_overs;
  };
  [[nodiscard]] State state() const noexcept;

 private:
  struct Entry {
    Watched* watched;
    Baton::Turn seen;
    std::chrono::nanoseconds used{};  ///< of a processor, by its thread, when the turn was first seen
  };

  void run() noexcept;
  void arm_now() noexcept;
  void disarm() noexcept;
  void remember() noexcept;
  bool look() noexcept;
  void see(Entry& entry) const noexcept;
  [[nodiscard]] bool only_waits_for_a_processor(const Entry& entry) const noexcept;
  template <class Change>
  void adjust(Change change) noexcept;

  mutable std::mutex mutex_;
  std::condition_variable woken_;
  Patience patience_;
  Decisions& decisions_;
  std::vector<Entry> entries_;
  std::uint64_t looks_ = 0, hand_overs_ = 0;
  bool ending_ = false;
  // Read by every conversation, written seldom: on a line of their own.
  alignas(64) std::atomic<bool> armed_{false};
  std::atomic<bool> at_once_{false};
  Thread thread_;
};

}  // namespace superd
