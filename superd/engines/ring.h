#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "superd/base/clock.h"
#include "superd/base/error.h"

namespace superd {

/// What a request to the kernel was for. It carries no address: whoever asked may be gone when the answer comes, and the
/// descriptor may be somebody else's; then `number` is not the one that is remembered there.
struct RingTag {
  enum class What : std::uint8_t { nothing, wake, receive, poll, send };

  What what = What::nothing;
  std::uint32_t number = 0;  ///< 29 bits
  int fd = -1;

  [[nodiscard]] std::uint64_t packed() const noexcept;
  [[nodiscard]] static RingTag unpacked(std::uint64_t) noexcept;
};

/// A ring of io_uring(7). Requests are queued and go out together, with the next wait or submit().
///
/// It may be made in one thread and used in another, which is bound to it from the first call that enters the kernel on.
class Ring {
 public:
  struct Answer {
    RingTag tag;
    int result;  ///< what the system call would have returned, or -errno
    std::uint32_t flags;

    [[nodiscard]] bool is_last() const noexcept { return !(flags & IORING_CQE_F_MORE); }
    [[nodiscard]] bool has_buffer() const noexcept { return flags & IORING_CQE_F_BUFFER; }
    [[nodiscard]] unsigned buffer() const noexcept { return flags >> IORING_CQE_BUFFER_SHIFT; }
  };

  /// An error where the kernel is too old, or forbids it.
  static Result<std::unique_ptr<Ring>> make();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  /// Receives again and again, each time into a buffer of the ring's only group.
  void receive(RingTag, bool likely_nothing_yet) noexcept;
  /// Once, when `fd` is ready for `events` (poll(2)).
  void poll(RingTag, short events) noexcept;
  void poll_again_and_again(RingTag, short events) noexcept;
  /// One send(2) that does not wait. The kernel has done with `bytes` when it has been submitted.
  void send(RingTag, std::span<const std::byte> bytes) noexcept;
  /// What has been asked with this tag ends early: its last answer comes soon.
  void cancel(RingTag) noexcept;

  void submit() noexcept;
  /// Also lets the kernel finish what it can; for once, when nobody waits any more.
  void submit_and_work() noexcept;
  /// Waits until there is an answer, until the deadline at the latest.
  int submit_and_wait(Time until) noexcept;

  /// Counts what was submitted together, beginning with 1: what was queued under the present number is not yet out.
  [[nodiscard]] std::uint32_t batch() const noexcept { return batch_; }

  [[nodiscard]] unsigned answers() const noexcept { return io_uring_cq_ready(&ring_); }
  /// The oldest answer; only while there are some.
  [[nodiscard]] Answer take_answer() noexcept;

  /// The kernel's side of a group of buffers (io_uring_register_buf_ring(3)).
  [[nodiscard]] int register_buffers(io_uring_buf_reg& registration) noexcept;

 private:
  Ring() = default;
  io_uring_sqe& request() noexcept;
  void enable() noexcept;
  int enter_and_wait(Time until) noexcept;

  io_uring ring_{};
  bool enabled_ = false;
  std::uint32_t batch_ = 1;
};

}  // namespace superd
