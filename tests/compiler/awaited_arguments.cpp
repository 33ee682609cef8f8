// What is passed to an awaited call is destroyed once, in the forms that the project allows itself: names, scalars,
// spans. g++ 12 destroys some temporaries of an awaited expression twice; scripts/check_awaits.py keeps those out.

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

using Shared = std::shared_ptr<int>;

task<long> by_value(Shared held) { co_return held.use_count(); }
task<long> by_reference(const Shared& held) { co_return held.use_count(); }
task<std::size_t> length(std::span<const char> bytes) { co_return bytes.size(); }
task<int> scalars(int a, long b, char c) { co_return static_cast<int>(a + b + c); }

task<long> by_value_behind(Gate& gate, Shared held) {
  co_await gate;
  co_return held.use_count();
}

task<> pass_names(const Shared& held, long& while_passed, long& after) {
  while_passed = co_await by_value(held);
  after = held.use_count();
}

task<> pass_moved(Shared held, long& while_passed, bool& is_empty) {
  while_passed = co_await by_value(std::move(held));
  is_empty = held == nullptr;
}

task<> pass_around(const Shared& held, Gate& gate, long& while_passed) {
  while_passed = co_await by_value_behind(gate, held);
}

task<std::size_t> pass_spans(const std::string& text) {
  std::size_t all = co_await length(text);
  all += co_await length(std::span(text).first(3));
  all += co_await length({});
  co_return all;
}

task<int> pass_scalars() {
  int all = 0;
  for (int i = 0; i < 3; ++i) all += co_await scalars(i, 10L * i, 'a');
  co_return all;
}

}  // namespace

TEST(AnAwaitedArgument, IsDestroyedOnceWhenItIsAName) {
  const auto held = std::make_shared<int>(1);
  long while_passed = 0, after = 0;
  run(pass_names(held, while_passed, after));
  EXPECT_EQ(while_passed, 2);
  EXPECT_EQ(after, 1);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AnAwaitedArgument, IsDestroyedOnceWhenItIsMoved) {
  const auto held = std::make_shared<int>(1);
  long while_passed = 0;
  bool is_empty = false;
  run(pass_moved(held, while_passed, is_empty));
  EXPECT_EQ(while_passed, 2);
  EXPECT_TRUE(is_empty);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AnAwaitedArgument, LivesOnWhileTheCalleeWaits) {
  const auto held = std::make_shared<int>(1);
  Gate gate;
  long while_passed = 0;
  std::exception_ptr thrown;
  run_to_its_end(pass_around(held, gate, while_passed), thrown);
  EXPECT_EQ(held.use_count(), 2);
  gate.open();
  EXPECT_EQ(while_passed, 2);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AnAwaitedArgument, IsLookedAtInPlaceWhenItIsAReference) {
  const auto held = std::make_shared<int>(1);
  EXPECT_EQ(run(by_reference(held)), 1);
}

TEST(AnAwaitedArgument, MayBeASpan) { EXPECT_EQ(run(pass_spans("hello")), 8U); }

TEST(AnAwaitedArgument, MayBeAScalar) { EXPECT_EQ(run(pass_scalars()), 3 + 30 + 3 * 'a'); }
