#pragma once

namespace superd::test {

/// All threads but the first may allocate so often and no more; negative: without end.
void limit_memory(int allocations) noexcept;

/// One allocation in `so_many` fails in all threads but the first, 1: every one; 0: none.
void thin_out_memory(unsigned so_many) noexcept;

/// Whether an allocation has failed since one of the above was last called with a bound.
bool memory_was_short() noexcept;

}  // namespace superd::test
