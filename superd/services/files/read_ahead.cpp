#include "superd/services/files/read_ahead.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace superd {

std::optional<std::size_t> ReadAhead::copy(std::uint64_t offset, std::span<std::byte> into) noexcept {
  const std::lock_guard lock(mutex_);
  if (!piece_ || offset < piece_->offset || offset > piece_->offset + piece_->filled) return std::nullopt;
  const auto from = static_cast<std::size_t>(offset - piece_->offset);
  const auto there = piece_->filled - from;
  if (there < into.size() && !piece_->is_end) return std::nullopt;
  const auto taken = std::min(there, into.size());
  std::memcpy(into.data(), piece_->bytes + from, taken);
  return taken;
}

std::unique_ptr<ReadAhead::Piece> ReadAhead::take() noexcept {
  const std::lock_guard lock(mutex_);
  if (std::exchange(taken_, true)) return nullptr;
  if (!piece_) piece_.reset(new (std::nothrow) Piece);
  if (!piece_) taken_ = false;
  return std::move(piece_);
}

void ReadAhead::put(std::unique_ptr<Piece> piece) noexcept {
  const std::lock_guard lock(mutex_);
  piece_ = std::move(piece);
  taken_ = false;
}

}  // namespace superd
