/// arm: what a deadline costs that is armed and cancelled, as it is for every conversation that ends in time.
///
/// `bare` is the least that can be taken over by somebody else in between: a store, and a compare-and-swap that fails
/// when he did. Prints the shortest of some runs, because everything that disturbs a run only makes it longer.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "superd/designs/baton.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int runs = 200;
constexpr std::uint64_t times = 100'000;

template <typename Once>
double shortest(Once once) {
  double nanos = 1e9;
  for (int i = 0; i < runs; ++i) {
    const auto begin = Clock::now();
    for (std::uint64_t n = 0; n < times; ++n) once(n);
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    nanos = std::min(nanos, took.count() / static_cast<double>(times));
  }
  return nanos;
}

double bare() {
  alignas(64) static std::atomic<std::uint64_t> word{0};
  return shortest([](std::uint64_t n) {
    const std::uint64_t armed = 2 * n + 1;
    word.store(armed, std::memory_order_release);
    std::uint64_t expected = armed;
    word.compare_exchange_strong(expected, armed + 1, std::memory_order_acq_rel);
  });
}

double baton() {
  static superd::Baton word;
  return shortest([](std::uint64_t) {
    if (!word.end(word.begin())) std::abort();
  });
}

struct Piece {
  std::string_view name;
  double (*time)();
};

constexpr Piece pieces[] = {
    {"bare",  bare },
    {"baton", baton},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Piece& piece : pieces) {
    if (argc != 2 || piece.name != argv[1]) continue;
    std::printf("{\"ns\": %.2f}\n", piece.time());
    return 0;
  }
  std::fputs("usage: arm PIECE, one of:", stderr);
  for (const Piece& piece : pieces)
    std::fprintf(stderr, " %.*s", static_cast<int>(piece.name.size()), piece.name.data());
  std::fputs("\n", stderr);
  return 100;
}
