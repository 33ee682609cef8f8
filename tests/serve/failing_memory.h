#pragma once

namespace superd::test {

/// While one lives, operator new fails in this thread after so many successes.
class NoMemoryAfter {
 public:
  explicit NoMemoryAfter(int allocations);
  NoMemoryAfter(const NoMemoryAfter&) = delete;
  NoMemoryAfter& operator=(const NoMemoryAfter&) = delete;
  ~NoMemoryAfter();

  /// Whether an allocation has failed.
  static bool was_felt();
};

}  // namespace superd::test
