// What stands in a frame is destroyed once, however the coroutine ends; a frame that never began, too.

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

using Shared = std::shared_ptr<int>;

/// What stands in a frame.
struct Local {
  Shared held;
};

task<> fail_with(Shared held) {
  const Local own{held};
  throw std::runtime_error("with " + std::to_string(own.held.use_count()));
  co_return;
}

task<> fail_behind(Gate& gate, Shared held) {
  const Local own{held};
  co_await gate;
  throw std::runtime_error("later");
}

task<> pass_on(Shared held) {
  const Local own{held};
  co_await fail_with(held);
}

task<Shared> give(Shared held) { co_return held; }

task<> drop_result(Shared held) { (void)co_await give(held); }

task<> in_a_loop(Shared held) {
  for (int i = 0; i < 3; ++i) {
    const Local own{held};
    try {
      co_await fail_with(own.held);
    } catch (const std::runtime_error&) {
      continue;
    }
  }
}

/// Throws when it is copied into a frame.
struct Fragile {
  Shared held;
  explicit Fragile(Shared shared) : held(std::move(shared)) {}
  Fragile(const Fragile& other) : held(other.held) { throw std::runtime_error("copied"); }
};

task<> take(Fragile) { co_return; }

detached swallow(task<> work, bool& threw) {
  try {
    co_await work;
  } catch (const std::runtime_error&) {
    threw = true;
  }
}

}  // namespace

TEST(AFrame, IsFreedOnceWhenItsBodyThrows) {
  const auto held = std::make_shared<int>(1);
  EXPECT_THROW(run(fail_with(held)), std::runtime_error);
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_THROW(run(pass_on(held)), std::runtime_error);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AFrame, IsFreedOnceWhenItThrowsAfterAWait) {
  const auto held = std::make_shared<int>(1);
  Gate gate;
  bool threw = false;
  swallow(fail_behind(gate, held), threw);
  EXPECT_GT(held.use_count(), 1);
  gate.open();
  EXPECT_TRUE(threw);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AFrame, IsFreedOnceInEachRoundOfALoop) {
  const auto held = std::make_shared<int>(1);
  run(in_a_loop(held));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AFrame, IsFreedWithItsResult) {
  const auto held = std::make_shared<int>(1);
  run(drop_result(held));
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(run(give(held)), held);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AFrame, ThatNeverBeganIsFreedWithItsArguments) {
  const auto held = std::make_shared<int>(1);
  {
    const auto work = fail_with(held);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AFrame, IsFreedWhenAnArgumentThrowsOnItsWayIn) {
  const auto held = std::make_shared<int>(1);
  {
    const Fragile fragile(held);
    EXPECT_THROW(run(take(fragile)), std::runtime_error);
  }
  EXPECT_EQ(held.use_count(), 1);
}
