#include "superd/base/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>

#include "superd/base/histogram.h"
#include "superd/base/shared_mutex.h"
#include "tests/base/forked_process.h"

using namespace superd;
using namespace superd::test;

TEST(SharedMemory, IsZeroedAndSeenByForkedProcesses) {
  const SharedMemory memory("test", 1 << 20);
  auto& number = memory.as<std::atomic<int>>();
  EXPECT_EQ(number, 0);
  Process([&] { number = 7; }).wait();
  EXPECT_EQ(number, 7);
}

TEST(SharedMemory, IsSeenByWhoeverMapsItsDescriptor) {
  const SharedMemory memory("test", 4096);
  memory.as<std::atomic<int>>() = 7;
  void* const seen = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, memory.fd(), 0);
  ASSERT_NE(seen, MAP_FAILED);
  EXPECT_EQ(*static_cast<std::atomic<int>*>(seen), 7);
  munmap(seen, 4096);
}

TEST(SharedMemory, IsAttachedByItsDescriptorAsItIs) {
  SharedMemory memory("test", 8192);
  memory.as<std::atomic<int>>() = 7;
  const auto attached = SharedMemory::attach(memory.fd(), 8192);
  ASSERT_TRUE(attached.has_value()) << attached.error().what;
  memory = {};
  EXPECT_EQ(attached->as<std::atomic<int>>(), 7);
  EXPECT_TRUE(SharedMemory::attach(attached->fd(), 8192).has_value());
}

TEST(SharedMemory, OfAnotherSizeIsNotAttached) {
  const SharedMemory memory("test", 8192);
  const auto attached = SharedMemory::attach(memory.fd(), 4096);
  ASSERT_FALSE(attached.has_value());
  EXPECT_EQ(attached.error().what,
            "attach shared memory: it has 8192 bytes instead of 4096, so another version has made it");
}

TEST(SharedMemory, ThatCouldBeCutShortIsNotAttached) {
  const int loose = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(ftruncate(loose, 4096), 0);
  EXPECT_FALSE(SharedMemory::attach(loose, 4096).has_value());
  close(loose);
  EXPECT_FALSE(SharedMemory::attach(-1, 4096).has_value());
}

TEST(SharedMemory, CannotBeCutShort) {
  const SharedMemory memory("test", 8192);
  EXPECT_NE(ftruncate(memory.fd(), 0), 0);
  EXPECT_NE(ftruncate(memory.fd(), 1 << 20), 0);
}

TEST(SharedMemory, IsThereWithoutADescriptorToo) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const SharedMemory memory("test", 4096);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(memory.fd(), -1);
  auto& number = memory.as<std::atomic<int>>();
  Process([&] { number = 7; }).wait();
  EXPECT_EQ(number, 7);
}

TEST(SharedMemory, IsMovedNotCopied) {
  SharedMemory memory("test", 4096);
  memory.as<int>() = 7;
  const int fd = memory.fd();
  const SharedMemory moved = std::move(memory);
  EXPECT_EQ(moved.as<int>(), 7);
  EXPECT_EQ(moved.fd(), fd);
}

TEST(SharedMemory, ThatCannotBeHadIsABadAlloc) {
  EXPECT_THROW(SharedMemory("test", std::size_t{1} << 62), std::bad_alloc);
}

namespace {
struct Guarded {
  SharedMutex mutex;
  int number;
  std::atomic<bool> is_held;
};
}  // namespace

TEST(ASharedMutex, ExcludesOtherProcesses) {
  const SharedMemory memory("test", sizeof(Guarded));
  auto& guarded = memory.as<Guarded>();
  std::construct_at(&guarded.mutex);
  const auto count = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const SharedLock lock(guarded.mutex);
      ++guarded.number;
    }
  };
  {
    const Process one(count), other(count);
  }
  EXPECT_EQ(guarded.number, 40'000);
}

TEST(ASharedMutex, PassesFromAKilledProcessToTheNextAndTells) {
  const SharedMemory memory("test", sizeof(Guarded));
  auto& guarded = memory.as<Guarded>();
  std::construct_at(&guarded.mutex);
  Process holder([&] {
    (void)guarded.mutex.lock();
    guarded.is_held = true;
    for (;;) pause();
  });
  ASSERT_TRUE(holder.reaches(guarded.is_held));
  holder.kill();
  EXPECT_TRUE(guarded.mutex.lock());
  guarded.mutex.unlock();
  EXPECT_FALSE(guarded.mutex.lock());
  guarded.mutex.unlock();
}

TEST(AFragileSharedMutex, StaysLockedWhenItsHolderIsKilledSoOneDoesNotWaitForever) {
  struct Held {
    FragileSharedMutex mutex;
    std::atomic<bool> is_held;
  };
  const SharedMemory memory("test", sizeof(Held));
  auto& held = memory.as<Held>();
  std::construct_at(&held.mutex);
  EXPECT_TRUE(held.mutex.try_lock_for(Millis{0}));
  held.mutex.unlock();
  Process holder([&] {
    held.mutex.lock();
    held.is_held = true;
    for (;;) pause();
  });
  ASSERT_TRUE(holder.reaches(held.is_held));
  holder.kill();
  EXPECT_FALSE(held.mutex.try_lock_for(Millis{5}));
}
