// The stack stays flat without symmetric transfer, at every level of optimisation and under every sanitizer: g++ 12 makes
// a tail call of it at -O2 alone, and a million awaits that do not wait would else be a million frames of the stack.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

constexpr int million = 1'000'000;
// A few calls deep, with a sanitizer's red zones; a million frames would be a hundred million bytes.
constexpr std::uintptr_t few_calls = 64 * 1024;

/// How far the stack reaches, as seen from where it is asked.
class Depth {
 public:
  [[gnu::noinline]] void look() noexcept {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest_ = std::min(lowest_, here);
    highest_ = std::max(highest_, here);
  }
  [[nodiscard]] std::uintptr_t spread() const noexcept { return highest_ - lowest_; }

 private:
  std::uintptr_t lowest_ = UINTPTR_MAX, highest_ = 0;
};

task<int> leaf(Depth& depth) {
  depth.look();
  co_return 1;
}

task<int> branch(Depth& depth) {
  const int left = co_await leaf(depth);
  const int right = co_await leaf(depth);
  co_return left + right;
}

task<int> sum(Depth& depth, int count) {
  int all = 0;
  for (int i = 0; i < count; ++i) all += co_await branch(depth);
  co_return all;
}

task<> throwing(Depth& depth) {
  depth.look();
  throw 1;
  co_return;
}

task<int> catching(Depth& depth, int count) {
  int caught = 0;
  for (int i = 0; i < count; ++i) {
    try {
      co_await throwing(depth);
    } catch (int) {
      ++caught;
    }
  }
  co_return caught;
}

task<> wait_at(Gate& gate, Depth& depth) {
  co_await gate;
  depth.look();
}

task<> wait_at_many(Gate*& gate, Depth& depth, int count) {
  for (int i = 0; i < count; ++i) {
    Gate here;
    gate = &here;
    co_await wait_at(here, depth);
  }
  gate = nullptr;
}

}  // namespace

TEST(TheStack, StaysFlatInALoopOfTasksThatEndAtOnce) {
  Depth depth;
  EXPECT_EQ(run(sum(depth, million)), 2 * million);
  EXPECT_LT(depth.spread(), few_calls);
}

TEST(TheStack, StaysFlatWhenTasksThrow) {
  Depth depth;
  EXPECT_EQ(run(catching(depth, 20'000)), 20'000);
  EXPECT_LT(depth.spread(), few_calls);
}

TEST(TheStack, UnwindsWhenATaskWaits) {
  Depth depth;
  Gate* gate = nullptr;
  std::exception_ptr thrown;
  run_to_its_end(wait_at_many(gate, depth, 100'000), thrown);
  int opened = 0;
  while (gate) {
    gate->open();
    ++opened;
  }
  EXPECT_EQ(opened, 100'000);
  EXPECT_LT(depth.spread(), few_calls);
}
