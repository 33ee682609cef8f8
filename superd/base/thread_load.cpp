#include "superd/base/thread_load.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>

namespace superd {

std::chrono::nanoseconds processor_time_of(pid_t thread) noexcept {
  // As pthread_getcpuclockid(3) makes it, which wants a pthread_t that may have ended.
  constexpr unsigned of_thread = 6;
  const auto clock = static_cast<clockid_t>(~static_cast<unsigned>(thread) << 3 | of_thread);
  timespec used{};
  if (clock_gettime(clock, &used) != 0) return {};
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

bool is_runnable(pid_t thread) noexcept {
  char path[64], text[256];
  (void)std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  if (size <= 0) return false;
  text[size] = '\0';
  // "123 (any) name) R ...": its name may hold anything.
  const char* const end = std::strrchr(text, ')');
  return end && std::strncmp(end, ") R", 3) == 0;
}

}  // namespace superd
