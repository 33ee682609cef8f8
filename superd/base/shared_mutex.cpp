#include "superd/base/shared_mutex.h"

#include <cerrno>
#include <ctime>

#include "superd/base/error.h"

namespace superd {

namespace {

void begin(pthread_mutex_t& mutex, int robustness) noexcept {
  pthread_mutexattr_t manner;
  pthread_mutexattr_init(&manner);
  pthread_mutexattr_setpshared(&manner, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&manner, robustness);
  const int code = pthread_mutex_init(&mutex, &manner);
  pthread_mutexattr_destroy(&manner);
  if (code != 0) broken("the system has no mutexes for several processes");
}

}  // namespace

SharedMutex::SharedMutex() noexcept { begin(mutex_, PTHREAD_MUTEX_ROBUST); }
FragileSharedMutex::FragileSharedMutex() noexcept { begin(mutex_, PTHREAD_MUTEX_STALLED); }

bool FragileSharedMutex::try_lock_for(Millis patience) noexcept {
  timespec until{};
  clock_gettime(CLOCK_MONOTONIC, &until);
  const auto nanos = until.tv_nsec + std::chrono::nanoseconds(patience % Seconds(1)).count();
  until.tv_sec += patience / Seconds(1) + nanos / 1'000'000'000;
  until.tv_nsec = nanos % 1'000'000'000;
  return pthread_mutex_clocklock(&mutex_, CLOCK_MONOTONIC, &until) == 0;
}

bool SharedMutex::lock() noexcept {
  const int code = pthread_mutex_lock(&mutex_);
  if (code == 0) return false;
  if (code != EOWNERDEAD) broken("a shared mutex cannot be locked");
  pthread_mutex_consistent(&mutex_);
  return true;
}

}  // namespace superd
