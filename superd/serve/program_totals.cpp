#include "superd/serve/program_totals.h"

#include <sys/wait.h>

#include <cstdint>

namespace superd {

namespace {

std::uint64_t micros(const timeval& time) noexcept {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

void ProgramTotals::add(int status, const rusage& used) noexcept {
  (WIFSIGNALED(status) ? by_signal : WEXITSTATUS(status) == 0 ? well : badly).add();
  user_us.add(micros(used.ru_utime));
  system_us.add(micros(used.ru_stime));
  most_kb.raise_to(static_cast<std::uint64_t>(used.ru_maxrss));
}

}  // namespace superd
