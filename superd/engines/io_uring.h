#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "superd/engines/engine.h"
#include "superd/engines/ring.h"
#include "superd/engines/ring_buffers.h"

namespace superd {

/// io_uring(7).
///
/// - The kernel never holds the address of a handler's memory beyond the call that submits: it receives into buffers of
///   ours, and a send that does not fit at once is waited out by polling. So an operation can be withdrawn at any time;
///   what still flies for it is told to end, and its answer, which carries a number and no address, is let pass.
/// - A chatty connection has one request under way for good: it receives again and again, and an idle one holds no
///   buffer. One who sends more than a buffer at a time is read like the readiness engines do it, 64 KiB into a hot
///   buffer. So is everybody when the kernel's buffers are used up.
/// - A listening socket is polled, and its door accepts: rings that share one would give everything to the first.
class IoUring final : public Engine {
 public:
  IoUring(std::unique_ptr<Ring> ring, std::unique_ptr<RingBuffers> arrivals);

  bool wait(Operation&) noexcept override;
  void forget(Operation&) noexcept override;
  void cancel_all() noexcept override;

 private:
  // How many arrived buffers a connection may hold whose handler does not read.
  static constexpr std::uint16_t most_unread = 4;
  // After how many small receives in a row a connection counts as chatty again.
  static constexpr std::uint8_t bulk_memory = 8;
  static constexpr std::int16_t not_ended = -1;

  /// What we know of a descriptor.
  struct Slot {
    Operation* operation = nullptr;  // who is parked for it
    std::uint32_t receiving = 0;     // the number of the receive that is under way; 0: none
    std::uint32_t waiting = 0;       // the same of the poll or the send of `operation`
    std::uint32_t batch = 0;         // Ring::batch() of the last request
    RingBuffers::Queue unread;
    std::int16_t ended = not_ended;  // errno with which receiving ended; 0: the peer has sent all it will
    std::uint8_t bulk = 0;           // counts down; 0: chatty
    bool known = false;              // has been waited for before
    bool sending = false;            // `waiting` is a send
    bool stopping = false;           // `receiving` has been told to end

    [[nodiscard]] bool has_arrivals() const noexcept { return unread.length > 0 || ended != not_ended; }
    void note_size(std::size_t received) noexcept;
  };

  int collect(Time until) noexcept override;
  Operation* next_event() noexcept override;
  Operation* timer_came_up(Operation&) noexcept override;
  void withdraw(Operation&) noexcept override;

  // True: the operation has its outcome. False: it is parked.
  bool start(Operation&) noexcept;
  bool try_or_park(Operation&, Slot&) noexcept;
  bool take_arrival(Operation&, Slot&) noexcept;

  Operation* answered(const Ring::Answer&) noexcept;
  Operation* received(const Ring::Answer&) noexcept;
  void keep(Slot&, const Ring::Answer&) noexcept;
  Operation* sent(Operation&, Slot&, int result) noexcept;

  void park(Operation&, Slot&) noexcept;
  void park_for_bytes(Operation&, Slot&, bool likely_nothing_yet) noexcept;
  void park_for_poll(Operation&, Slot&, short events) noexcept;
  void park_for_send(Operation&, Slot&) noexcept;
  Operation* finish(Operation&) noexcept;

  void stop_receiving(Slot&, int fd) noexcept;
  void give_back(Operation&) noexcept;
  void watch_wake_fd() noexcept;
  RingTag tag(RingTag::What, Slot&, int fd) noexcept;
  Slot& slot(int fd);

  std::unique_ptr<RingBuffers> arrivals_;
  std::unique_ptr<Ring> ring_;  // closed before its buffers are freed
  std::vector<Slot> slots_;
  std::uint32_t last_number_ = 0;
  unsigned answers_left_ = 0;  // of this turn; those that come meanwhile are for the next one
};

}  // namespace superd
