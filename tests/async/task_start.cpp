#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

task<> note(bool& ran) {
  ran = true;
  co_return;
}

task<int> number(int n) { co_return n; }

task<std::unique_ptr<std::string>> owned(std::string text) { co_return std::make_unique<std::string>(std::move(text)); }

task<std::string> through_three() {
  const int one = co_await number(1);
  const int two = co_await number(2);
  const auto text = co_await owned("three");
  co_return std::to_string(one) + std::to_string(two) + *text;
}

task<int> after(Gate& gate, int n) {
  co_await gate;
  co_return n;
}

task<int> sum(Gate& gate) {
  const int first = co_await after(gate, 1);
  const int second = co_await number(2);
  co_return first + second;
}

detached keep(task<int> work, int& result) { result = co_await work; }

}  // namespace

TEST(ATask, DoesNotStartUntilItIsAwaited) {
  bool ran = false;
  {
    const auto work = note(ran);
    EXPECT_FALSE(ran);
  }
  EXPECT_FALSE(ran);
  run(note(ran));
  EXPECT_TRUE(ran);
}

TEST(ATask, MovesItsResultToWhoAwaitsIt) {
  EXPECT_EQ(run(through_three()), "12three");
  EXPECT_EQ(*run(owned("kept")), "kept");
}

TEST(ATask, GoesOnWhereItWaited) {
  Gate gate;
  int result = 0;
  keep(sum(gate), result);
  EXPECT_EQ(result, 0);
  gate.open();
  EXPECT_EQ(result, 3);
}

TEST(ATask, ThatBeganAndEndedAtOnceHasItsResult) {
  auto work = number(7);
  ASSERT_TRUE(work.begin());
  EXPECT_EQ(work.result(), 7);
}

TEST(ATask, ThatBeganAndWaitsMayBeAwaitedLater) {
  Gate gate;
  auto work = sum(gate);
  ASSERT_FALSE(work.begin());
  int result = 0;
  keep(std::move(work), result);
  EXPECT_EQ(result, 0);
  gate.open();
  EXPECT_EQ(result, 3);
}

TEST(ATask, ThatBeganMayEndBeforeItIsAwaited) {
  Gate gate;
  auto work = sum(gate);
  ASSERT_FALSE(work.begin());
  gate.open();
  int result = 0;
  keep(std::move(work), result);
  EXPECT_EQ(result, 3);
}

TEST(ATask, MayBeMovedBeforeItStarts) {
  auto work = number(5);
  auto moved = std::move(work);
  int result = 0;
  keep(std::move(moved), result);
  EXPECT_EQ(result, 5);
}
