#include "superd/base/thread_load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace superd;
using namespace std::chrono_literals;

TEST(AThreadsLoad, IsTheTimeThatItComputes) {
  const auto before = processor_time_of(::gettid());
  while (processor_time_of(::gettid()) < before + 2ms) continue;
  EXPECT_TRUE(is_runnable(::gettid()));
}

TEST(AThreadsLoad, IsNoneWhileItWaits) {
  std::atomic<pid_t> id{0};
  std::atomic<bool> may_end{false};
  const std::jthread waiting([&] {
    id = ::gettid();
    may_end.wait(false);
  });
  while (id == 0 || is_runnable(id)) std::this_thread::yield();
  const auto used = processor_time_of(id);
  EXPECT_GT(used, 0ns);
  EXPECT_EQ(processor_time_of(id), used);
  may_end = true;
  may_end.notify_one();
}

TEST(AThreadsLoad, IsNoneAfterItsEnd) {
  std::atomic<pid_t> id{0};
  std::jthread([&] { id = ::gettid(); }).join();
  while (processor_time_of(id) != 0ns) std::this_thread::yield();
  EXPECT_FALSE(is_runnable(id));
}
