#pragma once

namespace superd::test {

/// All threads but the first may allocate so often and no more; negative: without end.
void limit_memory(int allocations) noexcept;

/// Whether an allocation has failed since limit_memory() set a bound.
bool memory_was_short() noexcept;

}  // namespace superd::test
