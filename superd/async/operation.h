#pragma once

#include <cerrno>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>

#include "superd/async/timer_wheel.h"
#include "superd/base/background.h"
#include "superd/base/clock.h"

namespace superd {

enum class Kind : std::uint8_t {
  none,
  read,      ///< receive some bytes; they are lent in `bytes` until the next operation of kind read, or forget()
  write,     ///< send all of `bytes`
  readable,  ///< wait until `fd` has something to accept or to receive
  sleep,     ///< wait for the deadline, which is then Outcome::done
  signal,    ///< wait for Waiter::signal() from any thread
  work,      ///< have `work` done where it holds up nobody, and wait for its end; never times out
  home,      ///< go on in the waiter's own thread; at once where that is this one
};

enum class Outcome : std::uint8_t {
  done,
  end_of_stream,  ///< the peer has sent all it will
  timed_out,      ///< the deadline passed first
  cancelled,      ///< Engine::cancel_all() or Waiter::cancel()
  failed,         ///< `error` holds the errno
};

/// The error of an operation whose descriptor the engine cannot hold (select beyond FD_SETSIZE). No call of the kernel's
/// that we make returns it for a socket.
constexpr int engine_full = ERANGE;

class Waiter;
struct Operation;

/// What an operation of kind work has done. It lies where the operation's owner waits for it, and does not move. Once
/// it has begun it is not cancelled, because it refers to what its owner keeps; the outcome then tells at its end.
struct Work : Job {
  Waiter* waiter = nullptr;        ///< of the waiter
  Operation* operation = nullptr;  ///< of the waiter
};

/// One request to a Waiter and, after it, its outcome. It belongs to a Connection or a Door and is used again and again,
/// one request at a time. The Waiter keeps state of its own in it between requests: it may not move, and forget() ends
/// its use.
struct Operation : Timer {
  int fd = -1;
  Kind kind = Kind::none;  ///< none: nothing is being waited for
  Outcome outcome = Outcome::done;
  bool is_held = false;      ///< of the waiter: parked, and not let go yet; before, its owner prepares `kind`
  bool signalled = false;    ///< of the waiter: signal() came before wait()
  bool more_likely = false;  ///< of the waiter: the last read filled its buffer, so another try is worth its call
  bool had_grace = false;    ///< of the waiter: its deadline was moved once, because the waiter itself was late
  bool is_brief = false;     ///< whoever is resumed runs no handler: a loop need not be watched meanwhile
  int error = 0;
  std::span<const std::byte> bytes;
  Time deadline = never;

  /// Called by the Waiter, in its thread, when part of a write went out: the owner may move the deadline.
  void (*progressed)(Operation&, std::size_t bytes) noexcept = nullptr;

  std::coroutine_handle<> parked;  ///< resumed once when wait() returned false
  std::byte* lent = nullptr;       ///< of the waiter: the buffer that `bytes` of the last read lie in
  Work* work = nullptr;

  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
};

}  // namespace superd
