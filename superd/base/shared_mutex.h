#pragma once

#include <pthread.h>

#include <atomic>

#include "superd/base/clock.h"

namespace superd {

/// A mutex in shared memory. A process that dies while it holds the mutex does not lock the others out: the next one
/// gets it and is told (pthread_mutexattr_setrobust(3)). Constructed once, by the process that made the memory, and
/// never destroyed: it goes with the memory.
class SharedMutex {
 public:
  SharedMutex() noexcept;
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  /// True: who held it last has died with it, so what it protects may be half changed. Who dies while repairing that
  /// leaves the same message to the next.
  [[nodiscard]] bool lock() noexcept;
  void unlock() noexcept { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

/// A mutex in shared memory for half of that price, which a process that dies leaves locked. Otherwise as above.
class FragileSharedMutex {
 public:
  FragileSharedMutex() noexcept;
  FragileSharedMutex(const FragileSharedMutex&) = delete;
  FragileSharedMutex& operator=(const FragileSharedMutex&) = delete;

  void lock() noexcept { pthread_mutex_lock(&mutex_); }
  [[nodiscard]] bool try_lock_for(Millis patience) noexcept;
  void unlock() noexcept { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_;
};

/// What is written before it is in memory before what is written after it, should the process be killed between the two.
/// Keeps the compiler from reordering, and no more is needed: whoever looks next has got the mutex from the kernel, which
/// has seen the process die.
inline void in_this_order() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

/// Holds a SharedMutex while it lives.
class SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) noexcept : mutex_(mutex), holder_died_(mutex.lock()) {}
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;
  ~SharedLock() { mutex_.unlock(); }

  [[nodiscard]] bool holder_died() const noexcept { return holder_died_; }

 private:
  SharedMutex& mutex_;
  const bool holder_died_;
};

}  // namespace superd
