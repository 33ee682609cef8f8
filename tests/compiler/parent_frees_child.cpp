// A task that ends resumes its parent from within its own final suspension, and the parent frees it there: nothing of
// the frame may be touched afterwards. The address sanitizer tells.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

task<int> child(Gate& gate, int n) {
  co_await gate;
  co_return n;
}

task<int> nested(Gate& gate, int depth) {
  if (depth == 0) {
    const int bottom = co_await child(gate, 1);
    co_return bottom;
  }
  const int below = co_await nested(gate, depth - 1);
  co_return below + 1;
}

task<int> held(Gate& gate) {
  auto work = std::make_unique<task<int>>(child(gate, 5));
  const int result = co_await *work;
  work.reset();
  co_return result;
}

detached keep(task<int> work, int& result) { result = co_await work; }

}  // namespace

TEST(AParent, MayFreeItsChildFromWithinTheChildsEnd) {
  Gate gate;
  int result = 0;
  keep(nested(gate, 100), result);
  gate.open();
  EXPECT_EQ(result, 101);
}

TEST(AParent, MayFreeAChildThatItHeld) {
  Gate gate;
  int result = 0;
  keep(held(gate), result);
  gate.open();
  EXPECT_EQ(result, 5);
}

TEST(AParent, MayFreeAChildThatEndedAtOnce) {
  Gate gate;
  gate.open();
  int result = 0;
  keep(nested(gate, 100), result);
  EXPECT_EQ(result, 101);
}
