#include "superd/engines/buffer_pool.h"

#include <new>
#include <utility>

namespace superd {

namespace {
// More than a burst of slow readers leaves behind is given back to the system: 16 buffers are a megabyte.
constexpr std::size_t spares_kept = 16;
}  // namespace

BufferPool::BufferPool() { spare_.reserve(spares_kept); }

std::span<std::byte> BufferPool::current() noexcept {
  if (current_is_lent_) {
    // Its receiver owns it now and hands the bare pointer back.
    (void)current_.release();
    current_is_lent_ = false;
  }
  if (!current_) {
    if (spare_.empty()) {
      // Not zeroed: a page costs memory only once bytes have arrived in it.
      current_.reset(new (std::nothrow) std::byte[size]);
      if (!current_) return {};
    } else {
      current_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  return {current_.get(), size};
}

std::byte* BufferPool::lend() noexcept {
  current_is_lent_ = true;
  return current_.get();
}

void BufferPool::give_back(std::byte* buffer) noexcept {
  if (buffer == current_.get()) {
    current_is_lent_ = false;
    return;
  }
  Buffer owned(buffer);
  if (spare_.size() < spares_kept) spare_.push_back(std::move(owned));
}

}  // namespace superd
