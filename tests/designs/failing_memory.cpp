#include "tests/designs/failing_memory.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace superd::test {

namespace {
std::atomic<int> allocations_left{-1};  // of all threads but the first; negative: no bound
std::atomic<bool> was_short{false};

bool is_main_thread() noexcept {
  thread_local const bool is_main = ::syscall(SYS_gettid) == ::getpid();
  return is_main;
}

void* allocate(std::size_t size) noexcept {
  if (allocations_left >= 0 && !is_main_thread() && allocations_left.fetch_sub(1) <= 0) {
    allocations_left = 0;
    was_short = true;
    return nullptr;
  }
  return std::malloc(size);
}
}  // namespace

void limit_memory(int allocations) noexcept {
  if (allocations >= 0) was_short = false;
  allocations_left = allocations;
}
bool memory_was_short() noexcept { return was_short; }

}  // namespace superd::test

// Those of the whole test program.
void* operator new(std::size_t size) {
  void* const room = superd::test::allocate(size);
  if (!room) throw std::bad_alloc();
  return room;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return superd::test::allocate(size); }
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }
