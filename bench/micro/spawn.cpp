/// How long the start of a program takes, from the call until it runs, with so much memory resident in who starts it.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "superd/base/launcher.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Piece {
  std::string_view name;
  std::size_t resident;
};
constexpr Piece pieces[] = {
    {"10MB", std::size_t{10} << 20},
    {"2GB",  std::size_t{2} << 30 },
};

/// The median of many: a machine with others on it has no other honest one.
double time_of(superd::Launcher& launcher) {
  constexpr int starts = 500;
  std::vector<double> all;
  for (int i = 0; i < starts; ++i) {
    const auto began = Clock::now();
    const auto child = launcher.start({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO});
    all.push_back(std::chrono::duration<double, std::nano>(Clock::now() - began).count());
    if (!child) std::fprintf(stderr, "%s\n", child.error().what.c_str());
    if (!child) std::exit(111);
    ::close(child->pidfd);
    ::waitpid(child->process, nullptr, 0);
  }
  std::ranges::nth_element(all, all.begin() + starts / 2);
  return all[starts / 2];
}

}  // namespace

int main(int argc, char** argv) {
  for (const Piece& piece : pieces) {
    if (argc != 2 || piece.name != argv[1]) continue;
    void* const memory = ::mmap(nullptr, piece.resident, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 111;
    std::memset(memory, 1, piece.resident);
    superd::Launch wanted;
    wanted.words = {"/bin/true"};
    auto launcher = superd::Launcher::make(wanted);
    if (!launcher) return 111;
    std::printf("{\"ns\": %.0f}\n", time_of(*launcher));
    return 0;
  }
  std::fputs("usage: spawn 10MB|2GB\n", stderr);
  return 100;
}
