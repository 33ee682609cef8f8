#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace superd {

/// Descriptors, a bit each: adding and removing is one atomic operation, from any thread. All operations are
/// sequentially consistent.
class DescriptorSet {
 public:
  DescriptorSet() noexcept = default;
  DescriptorSet(const DescriptorSet&) = delete;
  DescriptorSet& operator=(const DescriptorSet&) = delete;
  ~DescriptorSet();

  /// May throw std::bad_alloc. A descriptor beyond `most` is not kept.
  void add(int fd);
  void remove(int fd) noexcept;
  static constexpr int most = 1 << 24;

  /// Calls `visit` for each that is in it.
  template <class Visit>
  void each(Visit visit) const noexcept {
    for (std::size_t part = 0; part < parts; ++part) {
      const Part* const found = parts_[part].load(std::memory_order_seq_cst);
      if (!found) continue;
      for (std::size_t word = 0; word < words; ++word)
        for (auto bits = (*found)[word].load(std::memory_order_seq_cst); bits != 0; bits &= bits - 1)
          visit(static_cast<int>((part * words + word) * 64) + std::countr_zero(bits));
    }
  }

 private:
  // Parts are made when a descriptor of theirs comes, and stay: most programs need the first alone.
  static constexpr std::size_t words = 256, parts = most / (words * 64);
  using Part = std::array<std::atomic<std::uint64_t>, words>;

  [[nodiscard]] static bool is_kept(int fd) noexcept { return fd >= 0 && fd < most; }
  [[nodiscard]] static std::size_t part_of(int fd) noexcept { return static_cast<std::size_t>(fd) / (words * 64); }
  [[nodiscard]] static std::size_t word_of(int fd) noexcept { return static_cast<std::size_t>(fd) / 64 % words; }
  [[nodiscard]] static std::uint64_t bit_of(int fd) noexcept { return std::uint64_t{1} << (fd % 64); }

  std::array<std::atomic<Part*>, parts> parts_{};
};

}  // namespace superd
