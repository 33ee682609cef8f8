#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace superd {

/// The buffer that slide 8 has beside each entry: a piece of the file, from the byte that its client read last. Who
/// fills it has it to himself; others read past it meanwhile. Thread-safe.
class ReadAhead {
 public:
  /// 32 blocks of TFTP, 16 of FSP.
  static constexpr std::size_t size = 16 * 1024;

  struct Piece {
    std::uint64_t offset = 0;
    std::size_t filled = 0;
    bool is_end = false;  ///< the file ends behind it
    std::byte bytes[size];
  };

  /// Copies out of the buffer; nothing when it has not all of it.
  std::optional<std::size_t> copy(std::uint64_t offset, std::span<std::byte> into) noexcept;

  /// Where reading ahead is wanted: makes room for a piece, now or at the first take().
  void enable() noexcept { enabled_ = true; }
  [[nodiscard]] bool is_enabled() const noexcept { return enabled_; }
  /// The piece, to be filled; null when somebody else is about to, or without memory.
  std::unique_ptr<Piece> take() noexcept;
  void put(std::unique_ptr<Piece> piece) noexcept;

 private:
  bool enabled_ = false;  // before the file is shared
  std::mutex mutex_;
  bool taken_ = false;
  std::unique_ptr<Piece> piece_;
};

}  // namespace superd
