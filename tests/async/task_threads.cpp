#include <gtest/gtest.h>

#include <thread>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

task<std::thread::id> thread_behind(Gate& gate) {
  co_await gate;
  co_return std::this_thread::get_id();
}

detached follow(Gate& gate, std::thread::id& of_child, std::thread::id& of_parent) {
  const auto id = co_await thread_behind(gate);
  of_child = id;
  of_parent = std::this_thread::get_id();
}

}  // namespace

TEST(ATaskThatEndsOnAnotherThread, TakesItsParentAlong) {
  Gate gate;
  std::thread::id of_child, of_parent;
  follow(gate, of_child, of_parent);
  std::jthread other([&] { gate.open(); });
  const auto expected = other.get_id();
  other.join();
  EXPECT_EQ(of_child, expected);
  EXPECT_EQ(of_parent, expected);
}
