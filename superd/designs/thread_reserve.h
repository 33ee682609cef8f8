#pragma once

#include <pthread.h>

#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "superd/base/error.h"
#include "superd/designs/decisions.h"
#include "superd/engines/blocking.h"

namespace superd {

class Leadable;
class ThreadReserve;

/// A thread of a reserve, as the work that it does sees it.
class ReserveThread {
 public:
  /// Blocks this thread.
  Blocking blocking;

 private:
  friend class ThreadReserve;
  pthread_t id_{};
  Leadable* work_ = nullptr;  // what it is to lead next
  std::condition_variable wake_;
};

/// What one thread at a time leads.
class Leadable {
 public:
  virtual ~Leadable() = default;
  /// Leads until the lead was taken over by another thread, or all is over.
  virtual void lead(ReserveThread& self) noexcept = 0;
};

/// Threads that take a lead over. Who has lost it, or has nothing to lead any more, is a spare: kept for the next time,
/// the one that was busy last first, and let go when it has been idle for `keep`. Never more than `most`. Thread-safe.
class ThreadReserve {
 public:
  /// A thread costs some 30 us to make and a stack of a few pages to keep; whoever was not needed for ten seconds
  /// has not been part of any burst that is still going on.
  static constexpr Seconds keep{10};

  ThreadReserve(std::string name, int most, Decisions& decisions)
      : name_(std::move(name)), most_(most), decisions_(decisions) {}
  /// Waits for the end of all threads; what they lead must be about to end.
  ~ThreadReserve();

  /// Finds a thread for `work`; with it at hand asks `take`, whether there is still something to take over, and lets it
  /// lead. False, with nothing done: `take` said no, or there is no thread to be had.
  template <class Take>
  bool hand(Leadable& work, Take take) noexcept {
    const std::lock_guard lock(mutex_);
    ReserveThread* const chosen = choose();
    if (!chosen) return false;
    if (take())
      begin(*chosen, work);
    else
      spares_.push_back(chosen);
    return chosen->work_ != nullptr;
  }

  /// Interrupts a system call of the thread, if it still is one of ours (see Thread::interrupt()).
  void interrupt(const ReserveThread*) noexcept;
  /// Cancels whoever sleeps in a thread of ours.
  void cancel_all() noexcept;

  struct Count {
    int threads, spares;
  };
  [[nodiscard]] Count count() const noexcept;

 private:
  using Threads = std::list<ReserveThread>;

  ReserveThread* choose() noexcept;
  ReserveThread* start() noexcept;
  static void begin(ReserveThread&, Leadable&) noexcept;
  void run(Threads::iterator self) noexcept;
  bool wait_for_work(ReserveThread&, std::unique_lock<std::mutex>&) noexcept;
  void note(Decisions::What) noexcept;

  const std::string name_;
  const int most_;
  Decisions& decisions_;
  mutable std::mutex mutex_;
  std::condition_variable gone_;
  Threads threads_;
  std::vector<ReserveThread*> spares_;
  bool at_bound_ = false;
  bool ending_ = false;
};

}  // namespace superd
