// Another thread resumes a coroutine while the one that suspends it is still inside await_suspend: the suspending side
// must touch neither the awaiter nor the frame any more, and of "the child has ended" and "the parent is suspended" the
// second goes on with the parent, whichever it is. The thread sanitizer tells, and lost or doubled rounds do.

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int rounds = 5'000;
#else
constexpr int rounds = 50'000;
#endif

/// A thread that resumes whatever it is handed, at once.
class Resumer {
 public:
  ~Resumer() { ending_ = true; }

  void hand_over(std::coroutine_handle<> waiting) noexcept {
    next_.store(waiting.address(), std::memory_order_release);
  }

 private:
  void work() {
    while (!ending_)
      if (void* address = next_.exchange(nullptr, std::memory_order_acquire))
        std::coroutine_handle<>::from_address(address).resume();
      else
        std::this_thread::yield();
  }

  std::atomic<void*> next_{nullptr};
  std::atomic<bool> ending_{false};
  std::jthread thread_{[this] { work(); }};
};

/// Handed over, and then dawdling inside await_suspend for a while.
struct HandOver {
  Resumer& resumer;
  int dawdle;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) const noexcept {
    const int turns = dawdle;  // the awaiter may be gone once the handle is out
    resumer.hand_over(waiting);
    for (int i = 0; i < turns; ++i) std::this_thread::yield();
    return true;
  }
  void await_resume() const noexcept {}
};

HandOver hand_over(Resumer& resumer, int dawdle) { return {resumer, dawdle}; }

task<int> child(Resumer& resumer, int n) {
  co_await hand_over(resumer, n % 3);
  co_return n;
}

task<int> parent(Resumer& resumer, int n) {
  const int result = co_await child(resumer, n);
  co_return result + 1;
}

detached round_trip(Resumer& resumer, int n, std::atomic<int>& done) {
  const int result = co_await parent(resumer, n);
  done.store(result, std::memory_order_release);
}

/// Hops between the two threads without ever going back to the one that began.
detached hop(Resumer& one, Resumer& other, int count, std::atomic<bool>& done) {
  int hops = 0;
  for (; hops < count; ++hops) {
    const int n = co_await child(hops % 2 ? one : other, hops);
    if (n != hops) break;
  }
  done.store(hops == count, std::memory_order_release);
}

template <class T>
bool comes_true(const std::atomic<T>& value, T wanted) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (value.load(std::memory_order_acquire) != wanted) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST(ATaskResumedElsewhere, GoesOnOnceHoweverTheThreadsMeet) {
  Resumer resumer;
  for (int n = 0; n < rounds; ++n) {
    std::atomic<int> done{-1};
    round_trip(resumer, n, done);
    ASSERT_TRUE(comes_true(done, n + 1)) << n;
  }
}

TEST(ATaskResumedElsewhere, MayHopBetweenThreads) {
  Resumer one, other;
  std::atomic<bool> done{false};
  hop(one, other, rounds, done);
  EXPECT_TRUE(comes_true(done, true));
}
