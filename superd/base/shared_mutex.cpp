#include "superd/base/shared_mutex.h"

#include <cerrno>

#include "superd/base/error.h"

namespace superd {

SharedMutex::SharedMutex() noexcept {
  pthread_mutexattr_t manner;
  pthread_mutexattr_init(&manner);
  pthread_mutexattr_setpshared(&manner, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&manner, PTHREAD_MUTEX_ROBUST);
  const int code = pthread_mutex_init(&mutex_, &manner);
  pthread_mutexattr_destroy(&manner);
  if (code != 0) broken("the system has no robust mutexes");
}

bool SharedMutex::lock() noexcept {
  const int code = pthread_mutex_lock(&mutex_);
  if (code == 0) return false;
  if (code != EOWNERDEAD) broken("a shared mutex cannot be locked");
  pthread_mutex_consistent(&mutex_);
  return true;
}

}  // namespace superd
