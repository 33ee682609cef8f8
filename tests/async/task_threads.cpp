#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Goes on in a thread of its own.
struct Elsewhere {
  std::vector<std::jthread>& threads;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) const {
    threads.emplace_back([waiting] { waiting.resume(); });
  }
  void await_resume() const noexcept {}
};

Elsewhere elsewhere(std::vector<std::jthread>& threads) { return {threads}; }

task<std::thread::id> moved(std::vector<std::jthread>& threads) {
  co_await elsewhere(threads);
  co_return std::this_thread::get_id();
}

detached follow(std::vector<std::jthread>& threads, std::thread::id& of_child, std::thread::id& of_parent) {
  const auto id = co_await moved(threads);
  of_child = id;
  of_parent = std::this_thread::get_id();
}

}  // namespace

TEST(ATaskThatEndsOnAnotherThread, TakesItsParentAlong) {
  std::vector<std::jthread> threads;
  std::thread::id of_child, of_parent;
  threads.reserve(1);
  follow(threads, of_child, of_parent);
  threads.clear();
  EXPECT_EQ(of_child, of_parent);
  EXPECT_NE(of_parent, std::this_thread::get_id());
  EXPECT_NE(of_parent, std::thread::id());
}
