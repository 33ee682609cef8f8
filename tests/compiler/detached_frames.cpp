// A detached coroutine begins at once and frees itself, wherever it ends.

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

using Shared = std::shared_ptr<int>;

/// What stands in a frame.
struct Local {
  Shared held;
};

detached at_once(Shared held, bool& ran) {
  const Local own{held};
  ran = own.held != nullptr;
  co_return;
}

detached behind(Gate& gate, Shared held, int& stage) {
  const Local own{held};
  stage = 1;
  co_await gate;
  stage = 2;
}

detached throws() {
  throw std::runtime_error("nobody is there to catch it");
  co_return;
}

}  // namespace

TEST(ADetachedCoroutine, BeginsAtOnceAndFreesItself) {
  const auto held = std::make_shared<int>(1);
  bool ran = false;
  at_once(held, ran);
  EXPECT_TRUE(ran);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ADetachedCoroutine, FreesItselfAfterAWait) {
  const auto held = std::make_shared<int>(1);
  Gate gate;
  int stage = 0;
  behind(gate, held, stage);
  EXPECT_EQ(stage, 1);
  EXPECT_EQ(held.use_count(), 3);
  gate.open();
  EXPECT_EQ(stage, 2);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ADetachedCoroutineDeathTest, MustNotThrow) { EXPECT_DEATH(throws(), ""); }
