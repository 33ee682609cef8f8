#include "superd/serve/descriptor_set.h"

namespace superd {

DescriptorSet::~DescriptorSet() {
  for (const auto& part : parts_) delete part.load(std::memory_order_relaxed);
}

void DescriptorSet::add(int fd) {
  if (!is_kept(fd)) return;
  auto& place = parts_[part_of(fd)];
  Part* part = place.load(std::memory_order_acquire);
  if (!part) {
    auto made = std::make_unique<Part>();
    if (place.compare_exchange_strong(part, made.get(), std::memory_order_seq_cst)) part = made.release();
  }
  (*part)[word_of(fd)].fetch_or(bit_of(fd), std::memory_order_seq_cst);
}

void DescriptorSet::remove(int fd) noexcept {
  if (!is_kept(fd)) return;
  Part* const part = parts_[part_of(fd)].load(std::memory_order_acquire);
  if (part) (*part)[word_of(fd)].fetch_and(~bit_of(fd), std::memory_order_seq_cst);
}

}  // namespace superd
