#include "tests/serve/failing_memory.h"

#include <cstdlib>
#include <new>

namespace {

thread_local int allocations_left = -1;  // negative: no bound
thread_local bool felt = false;

void* allocate(std::size_t size) noexcept {
  if (allocations_left == 0) {
    felt = true;
    return nullptr;
  }
  if (allocations_left > 0) --allocations_left;
  return std::malloc(size);
}

}  // namespace

// Those of the whole test program.
void* operator new(std::size_t size) {
  void* const room = allocate(size);
  if (!room) throw std::bad_alloc();
  return room;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }

namespace superd::test {

NoMemoryAfter::NoMemoryAfter(int allocations) {
  felt = false;
  allocations_left = allocations;
}
NoMemoryAfter::~NoMemoryAfter() { allocations_left = -1; }
bool NoMemoryAfter::was_felt() { return felt; }

}  // namespace superd::test
