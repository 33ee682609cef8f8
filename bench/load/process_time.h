#pragma once
/// The CPU time of a process and of all below it, to the nanosecond where the kernel tells it so.

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace bench {

/// The processes started by `process`, by any of its threads.
inline std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  std::error_code gone;
  std::filesystem::directory_iterator threads("/proc/" + std::to_string(process) + "/task", gone);
  // Without exceptions: a process may end while it is looked at.
  for (; !gone && threads != std::filesystem::directory_iterator(); threads.increment(gone)) {
    std::ifstream file(threads->path() / "children");
    children.insert(children.end(), std::istream_iterator<pid_t>(file), {});
  }
  return children;
}

/// CPU time of the children that `process` has waited for: the 16th and 17th field of proc(5) stat, in clock ticks.
inline std::chrono::nanoseconds time_of_the_dead(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::ostringstream text;
  text << file.rdbuf();  // nothing of a process that ended since the file was opened
  const std::string line = text.str();
  // The name, which may hold anything, ends at the last parenthesis; the third field follows it.
  std::istringstream fields(line.substr(std::min(line.rfind(')') + 2, line.size())));
  std::string skipped;
  for (int field = 3; field < 16; ++field) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  return std::chrono::nanoseconds((user + system) * (1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
}

/// All threads of `process`, those that have ended too, its children and what they waited for. The process clock is
/// exact, where the ticks of proc(5) would be a hundredth of a second each. A process that does not exist has used 0.
inline std::chrono::nanoseconds cpu_time_of(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return {};
  auto total = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec) + time_of_the_dead(process);
  for (const pid_t child : children_of(process)) total += cpu_time_of(child);
  return total;
}

}  // namespace bench
