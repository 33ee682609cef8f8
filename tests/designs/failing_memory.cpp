#include "tests/designs/failing_memory.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "superd/base/mix.h"

namespace superd::test {

namespace {
std::atomic<int> allocations_left{-1};  // of all threads but the first; negative: no bound
std::atomic<unsigned> fails_one_in{0}, tries{0};
std::atomic<bool> was_short{false};

bool is_main_thread() noexcept {
  thread_local const bool is_main = ::syscall(SYS_gettid) == ::getpid();
  return is_main;
}

bool takes_one() noexcept {
  // Not every nth: that would meet the same places again and again.
  if (const unsigned so_many = fails_one_in; so_many != 0 && mix(++tries, so_many) % so_many == 0) return false;
  int left = allocations_left;
  while (left > 0 && !allocations_left.compare_exchange_weak(left, left - 1)) {
  }
  return left != 0;
}

void* allocate(std::size_t size) noexcept {
  if (is_main_thread() || takes_one()) return std::malloc(size);
  was_short = true;
  return nullptr;
}
}  // namespace

void limit_memory(int allocations) noexcept {
  if (allocations >= 0) was_short = false;
  allocations_left = allocations;
}
void thin_out_memory(unsigned so_many) noexcept {
  if (so_many != 0) was_short = false;
  fails_one_in = so_many;
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
