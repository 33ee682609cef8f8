#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "superd/services/tftp/packet.h"

namespace superd::tftp {

/// A piece of a file, read at once for the blocks in it, because a read of its own for each costs more than all the rest
/// that we do for a block. Before each byte is room for a block's head, so that both can leave in one piece: the head takes
/// the place of what was sent before. One thread at a time.
class FilePiece {
 public:
  /// May throw std::bad_alloc.
  explicit FilePiece(std::size_t size) : bytes_(head_size + size) {}

  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - head_size; }

  /// All that the file has between here and there is in it.
  [[nodiscard]] bool has(std::uint64_t offset, std::size_t count) const noexcept {
    const auto end = begin_ + filled_;
    return offset >= intact_from_ && offset <= end && (is_end_ || offset + count <= end);
  }

  /// What was in it is no more: `count` bytes from `offset` on are to be read to here.
  [[nodiscard]] std::span<std::byte> begin(std::uint64_t offset, std::size_t count) noexcept {
    begin_ = intact_from_ = offset;
    wanted_ = std::min(count, size());
    note_filled(0);
    is_end_ = false;
    return std::span(bytes_).subspan(head_size, wanted_);
  }
  /// So many came: fewer than were wanted are the file's last.
  void note_filled(std::size_t count) noexcept {
    filled_ = count;
    is_end_ = count < wanted_;
  }

  /// At most `count` bytes from `offset` on, which it has; before them room for a head. What is before is no more.
  [[nodiscard]] std::span<std::byte> take(std::uint64_t offset, std::size_t count) noexcept {
    intact_from_ = offset;
    const auto at = static_cast<std::size_t>(offset - begin_);
    return std::span(bytes_).subspan(head_size + at, std::min(count, filled_ - at));
  }

 private:
  std::vector<std::byte> bytes_;
  std::uint64_t begin_ = 0, intact_from_ = 0;
  std::size_t wanted_ = 0, filled_ = 0;
  bool is_end_ = false;
};

}  // namespace superd::tftp
