#include "superd/engines/ring_buffers.h"

#include <sys/mman.h>

#include <new>

namespace superd {

namespace {
constexpr std::size_t shared_size = RingBuffers::count * sizeof(io_uring_buf);
}

// Not zeroed: a page costs memory only once bytes have arrived in it.
RingBuffers::RingBuffers() : memory_(std::make_unique_for_overwrite<std::byte[]>(count * size)) {
  // Whole pages of its own, as the kernel wants it.
  void* mapped = mmap(nullptr, shared_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  shared_.reset(static_cast<io_uring_buf_ring*>(mapped));
}

void RingBuffers::Unmap::operator()(void* mapped) const noexcept { munmap(mapped, shared_size); }

Result<std::unique_ptr<RingBuffers>> RingBuffers::make(Ring& ring) {
  std::unique_ptr<RingBuffers> made(new RingBuffers);
  io_uring_buf_reg registration{};
  registration.ring_addr = std::bit_cast<std::uintptr_t>(made->shared_.get());
  registration.ring_entries = count;
  if (const int code = ring.register_buffers(registration); code < 0)
    return system_error("register the buffers of io_uring", -code);
  io_uring_buf_ring_init(made->shared_.get());
  for (unsigned buffer = 0; buffer < count; ++buffer) made->give_back(buffer);
  return made;
}

void RingBuffers::append(Queue& queue, unsigned buffer, std::size_t filled) noexcept {
  const auto index = static_cast<std::uint16_t>(buffer);
  filled_[index] = {static_cast<std::uint32_t>(filled), none};
  if (queue.length++ == 0)
    queue.first = index;
  else
    filled_[queue.last].next = index;
  queue.last = index;
}

std::span<const std::byte> RingBuffers::take_first(Queue& queue) noexcept {
  const auto index = queue.first;
  queue.first = filled_[index].next;
  --queue.length;
  return {at(index), filled_[index].bytes};
}

bool RingBuffers::owns(const std::byte* buffer) const noexcept {
  const auto base = std::bit_cast<std::uintptr_t>(memory_.get());
  return std::bit_cast<std::uintptr_t>(buffer) - base < count * size;
}

void RingBuffers::give_back(const std::byte* buffer) noexcept {
  give_back(static_cast<unsigned>(static_cast<std::size_t>(buffer - memory_.get()) / size));
}

void RingBuffers::give_back(unsigned buffer) noexcept {
  io_uring_buf_ring_add(shared_.get(), at(buffer), size, static_cast<unsigned short>(buffer),
                        io_uring_buf_ring_mask(count), 0);
  io_uring_buf_ring_advance(shared_.get(), 1);
}

void RingBuffers::give_back_all(Queue& queue) noexcept {
  while (queue.length > 0) give_back(take_first(queue).data());
}

}  // namespace superd
