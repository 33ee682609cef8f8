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
#include "superd/serve/background_call.h"
#include "superd/serve/hosted_service.h"

namespace superd {

/// Why a conversation is over.
enum class End : std::uint8_t {
  not_yet,
  finished,  ///< the client has sent all it will (read() alone; writing is still possible)
  reset,     ///< the client or the network broke it off
  idle,      ///< silent for Limits::idle
  slow,      ///< below Limits::min_rate
  too_long,  ///< longer than Limits::total
  drained,   ///< we are shutting down
  no_room,   ///< the engine cannot hold the connection
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
    bool await_suspend(std::coroutine_handle<> handler) noexcept { return client_.begin(Kind::read, handler); }
    Chunk await_resume() const noexcept { return client_.end_read(); }

   private:
    Connection& client_;
  };
  class Write {
   public:
    explicit Write(Connection& client) noexcept : client_(client) {}
    bool await_ready() const noexcept { return client_.bytes.empty() || client_.is_cut_off(); }
    bool await_suspend(std::coroutine_handle<> handler) noexcept { return client_.begin(Kind::write, handler); }
    bool await_resume() const noexcept { return client_.end_write(); }

   private:
    Connection& client_;
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
  [[nodiscard]] Write write(std::span<const std::byte> all) noexcept {
    bytes = all;
    outcome = Outcome::done;
    return Write(*this);
  }
  [[nodiscard]] Write write(std::string_view text) noexcept { return write(std::as_bytes(std::span(text))); }

  /// Fills all of `into`; false when the client ended first.
  [[nodiscard]] task<bool> read_exactly(std::span<std::byte> into);

  /// Waits without holding up others, where the design can. False when the conversation was cut meanwhile.
  [[nodiscard]] Sleep sleep(Millis duration) noexcept { return {*this, duration}; }

  /// Calls `function`, which blocks or computes for long, where it holds up nobody else: here under the designs that have a
  /// thread for each client, in a background thread under the others. It may use what the handler has, which waits, but
  /// not the connection; what it throws is thrown here. False when the conversation was cut: before it began, or
  /// meanwhile, for what has begun is waited for.
  template <class Function>
  [[nodiscard]] BackgroundCall<Connection> run_in_background(Function& function) noexcept {
    return {*this, function};
  }

  /// pread(2) of all of `into`, without holding up others; less at the end of the file alone. What is in the page cache
  /// costs no detour. The number of bytes or an errno, ECANCELED when the conversation was cut.
  [[nodiscard]] BackgroundRead<Connection> read_file(int file, std::uint64_t offset,
                                                     std::span<std::byte> into) noexcept {
    return {*this, file, offset, into};
  }

  /// Tells the client that nothing more will come (shutdown(2)); reading goes on.
  void finish_writing() noexcept;

  [[nodiscard]] End end() const noexcept { return end_; }
  [[nodiscard]] Endpoint peer() const noexcept;   ///< getpeername(2); unspecified when the client is gone
  [[nodiscard]] Endpoint local() const noexcept;  ///< getsockname(2)

  /// After the handler, while this is true: linger(). It reads what the client still sends, for at most Limits::linger
  /// and a megabyte, so that closing does not destroy the answer on its way. False at once when nothing is unread.
  [[nodiscard]] bool must_linger() noexcept;
  class Linger {
   public:
    explicit Linger(Connection& client) noexcept : client_(client) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> root) noexcept { return client_.begin(Kind::read, root); }
    void await_resume() const noexcept { client_.end_linger(); }

   private:
    Connection& client_;
  };
  [[nodiscard]] Linger linger() noexcept { return Linger(*this); }

  /// At the end: back to the waiter's own thread, where its use of this connection can be ended.
  class Home {
   public:
    explicit Home(Connection& client) noexcept : client_(client) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> root) noexcept { return client_.begin_home(root); }
    void await_resume() const noexcept {}

   private:
    Connection& client_;
  };
  [[nodiscard]] Home home() noexcept { return Home(*this); }

  // For whoever runs the conversation.
  [[nodiscard]] HostedService& hosted() const noexcept { return hosted_; }
  [[nodiscard]] Time began() const noexcept { return began_; }

  [[nodiscard]] Millis duration() const noexcept;
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return bytes_out_; }

 private:
  template <class Client>
  friend class BackgroundCall;
  template <class Client>
  friend class BackgroundRead;

  // Reading ends with the client's last byte; answers can still be written until it is cut off.
  [[nodiscard]] bool is_over() const noexcept { return end_ != End::not_yet; }
  [[nodiscard]] bool is_cut_off() const noexcept { return end_ > End::finished; }
  [[nodiscard]] bool has_rest() const noexcept { return rest_size_ != 0; }

  // They return whether the coroutine stays suspended.
  bool begin(Kind, std::coroutine_handle<>) noexcept;
  bool begin_sleep(std::coroutine_handle<>, Millis) noexcept;
  bool begin_work(std::coroutine_handle<>, Work&) noexcept;
  bool begin_home(std::coroutine_handle<>) noexcept;
  Chunk end_read() noexcept;
  bool end_write() noexcept;
  bool end_sleep() noexcept;
  bool end_work() noexcept { return end_sleep(); }
  void work_is_done() noexcept { outcome = Outcome::done; }
  void end_linger() noexcept;

  void settle(std::size_t moved) noexcept;
  void note_waiting(std::size_t moved) noexcept;
  void set_deadline() noexcept;
  static void wrote(Operation&, std::size_t) noexcept;

  Waiter& waiter_;
  HostedService& hosted_;
  const Time began_;
  Time waiting_since_;
  const std::byte* rest_ = nullptr;  ///< lent and not yet handed to the handler
  std::uint32_t rest_size_ = 0;
  std::int32_t patience_;  ///< what is left of `idle`, in ms: waiting takes from it, bytes give it back
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint32_t lingered_ = 0;  ///< bytes thrown away after the end
  bool lingers_ = false;
  End end_ = End::not_yet;
};

[[nodiscard]] std::string_view name_of(End) noexcept;

}  // namespace superd
