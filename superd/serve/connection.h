#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "superd/async/task.h"
#include "superd/async/waiter.h"
#include "superd/net/endpoint.h"
#include "superd/serve/hosted_service.h"

namespace superd {

/// Why a conversation is over.
enum class End : std::uint8_t {
  not_yet,
  finished,   ///< the client has sent all it will (read() alone; writing is still possible)
  reset,      ///< the client or the network broke it off
  idle,       ///< silent for Limits::idle
  slow,       ///< below Limits::min_rate
  too_long,   ///< longer than Limits::total
  drained,    ///< we are shutting down
  no_room,    ///< the engine cannot hold the connection
};

/// Bytes that a client sent, lent to the handler until its next read(); false when there are none any more.
class Chunk {
 public:
  Chunk() = default;
  explicit Chunk(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}
  explicit operator bool() const noexcept { return !bytes_.empty(); }
  operator std::span<const std::byte>() const noexcept { return bytes_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::span<const std::byte> bytes_;
};

/// A client, as a handler sees it. One operation at a time; belongs to its conversation, in whichever thread that runs.
/// Limits are kept here, the same under every design. A conversation that is over says so once and for good: read()
/// lends a false Chunk, write() is false, end() tells why. What was read lies in a buffer of the engine's: while a
/// connection is idle it holds none.
class Connection : private Operation {
 public:
  Connection(int fd, Waiter& waiter, HostedService& hosted) noexcept;
  ~Connection();

  class Read {
   public:
    explicit Read(Connection& client) noexcept : client_(client) {}
    bool await_ready() const noexcept { return client_.has_rest() || client_.is_over(); }
    bool await_suspend(std::coroutine_handle<> handler) noexcept { return client_.begin_read(handler); }
    Chunk await_resume() const noexcept { return client_.end_read(); }

   private:
    Connection& client_;
  };
  class Write {
   public:
    Write(Connection& client, std::span<const std::byte> bytes) noexcept : client_(client), bytes_(bytes) {}
    bool await_ready() const noexcept { return bytes_.empty() || client_.cannot_write(); }
    bool await_suspend(std::coroutine_handle<> handler) noexcept { return client_.begin_write(handler, bytes_); }
    bool await_resume() const noexcept { return bytes_.empty() ? !client_.cannot_write() : client_.end_write(); }

   private:
    Connection& client_;
    std::span<const std::byte> bytes_;
  };
  class Sleep {
   public:
    Sleep(Connection& client, Millis duration) noexcept : client_(client), duration_(duration) {}
    bool await_ready() const noexcept { return client_.is_cut_off(); }
    bool await_suspend(std::coroutine_handle<> handler) noexcept { return client_.begin_sleep(handler, duration_); }
    bool await_resume() const noexcept { return client_.end_sleep(); }

   private:
    Connection& client_;
    Millis duration_;
  };

  /// The next bytes, at least one.
  [[nodiscard]] Read read() noexcept { return Read(*this); }

  /// Sends all of them; they must stay until it returns. False when that was not possible.
  [[nodiscard]] Write write(std::span<const std::byte> all) noexcept { return {*this, all}; }
  [[nodiscard]] Write write(std::string_view text) noexcept { return write(std::as_bytes(std::span(text))); }

  /// Fills all of `into`; false when the client ended first.
  [[nodiscard]] task<bool> read_exactly(std::span<std::byte> into);

  /// Waits without holding up others, where the design can. False when the conversation was cut meanwhile.
  [[nodiscard]] Sleep sleep(Millis duration) noexcept { return {*this, duration}; }

  /// Tells the client that nothing more will come (shutdown(2)); reading goes on.
  void finish_writing() noexcept;

  [[nodiscard]] End end() const noexcept { return end_; }
  [[nodiscard]] Endpoint peer() const noexcept;   ///< getpeername(2); unspecified when the client is gone
  [[nodiscard]] Endpoint local() const noexcept;  ///< getsockname(2)

  /// After the handler: reads what the client still sends, for at most Limits::linger, so that closing does not destroy
  /// the answer on its way. Returns at once when nothing is unread.
  [[nodiscard]] task<> linger();
  [[nodiscard]] bool has_unread() const noexcept;

  [[nodiscard]] Millis duration() const noexcept;
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return bytes_out_; }

 private:
  // Reading ends with the client's last byte; then answers can still be written.
  [[nodiscard]] bool is_over() const noexcept { return end_ != End::not_yet; }
  [[nodiscard]] bool cannot_write() const noexcept { return end_ > End::finished; }
  [[nodiscard]] bool is_cut_off() const noexcept { return end_ > End::finished; }
  [[nodiscard]] bool has_rest() const noexcept { return !rest_.empty(); }

  bool begin_read(std::coroutine_handle<>) noexcept;
  Chunk end_read() noexcept;
  bool begin_write(std::coroutine_handle<>, std::span<const std::byte>) noexcept;
  bool end_write() noexcept;
  bool begin_sleep(std::coroutine_handle<>, Millis) noexcept;
  bool end_sleep() noexcept;

  bool begin(Kind, std::coroutine_handle<>) noexcept;
  void settle(std::size_t moved) noexcept;
  void note_waiting(std::size_t moved) noexcept;
  void set_deadline() noexcept;
  static void wrote(Operation&, std::size_t) noexcept;

  Waiter& waiter_;
  HostedService& hosted_;
  const Time began_;
  Time waiting_since_;
  std::span<const std::byte> rest_;  ///< lent and not yet handed to the handler
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  Millis::rep patience_;  ///< what is left of `idle`, in ms: waiting takes from it, bytes give it back
  End end_ = End::not_yet;
};

[[nodiscard]] std::string_view name_of(End) noexcept;

}  // namespace superd
