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

// Not by pthread_mutex_clocklock(3), which the thread sanitizer of g++ 12 does not know: it takes each unlock after it for
// a wrong one. Seldom does anybody wait here at all.
bool FragileSharedMutex::try_lock_for(Millis patience) noexcept {
  constexpr timespec moment{0, 100'000};
  for (const Time until = Clock::now() + patience; pthread_mutex_trylock(&mutex_) != 0;) {
    if (Clock::now() >= until) return false;
    (void)nanosleep(&moment, nullptr);
  }
  return true;
}

bool SharedMutex::lock() noexcept {
  const int code = pthread_mutex_lock(&mutex_);
  if (code == 0) return false;
  if (code != EOWNERDEAD) broken("a shared mutex cannot be locked");
  pthread_mutex_consistent(&mutex_);
  return true;
}

}  // namespace superd
