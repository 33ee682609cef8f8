#pragma once

#include <cerrno>

#include "superd/async/operation.h"
#include "superd/engines/buffer_pool.h"

namespace superd {

/// What a try at a socket came to.
enum class Try : std::uint8_t {
  settled,    ///< the outcome is set
  not_ready,  ///< nothing to receive, or no room to send
  shortage,   ///< the kernel or we are short of memory: that passes, but nobody will say when
};

/// How long a shortage is waited out before the next try.
constexpr Millis retry_pause{10};

/// The kernel is short of memory or buffers, for now.
constexpr bool is_shortage(int code) noexcept { return code == ENOBUFS || code == ENOMEM; }
constexpr bool is_not_yet(int code) noexcept { return code == EAGAIN || code == EWOULDBLOCK; }

/// Sets an outcome; true, as Waiter::wait() has it.
inline bool settle(Operation& operation, Outcome outcome, int code = 0) noexcept {
  operation.outcome = outcome;
  operation.error = code;
  return true;
}

/// Receives without waiting into the pool's buffer, which the operation keeps when something came.
Try try_receive(Operation& operation, BufferPool& buffers) noexcept;

/// Sends without waiting until all is sent or nothing more fits.
Try try_send(Operation& operation) noexcept;

/// Takes note that `part` bytes of a write went out.
void note_sent(Operation& operation, std::size_t part) noexcept;

}  // namespace superd
