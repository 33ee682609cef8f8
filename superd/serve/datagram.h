#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "superd/async/waiter.h"
#include "superd/net/datagram_batch.h"
#include "superd/net/socket.h"
#include "superd/serve/background_call.h"
#include "superd/serve/listener.h"

namespace superd {

/// Where a datagram's answers go: into the batch of the loop that received it, or straight out.
class AnswerPath {
 public:
  virtual ~AnswerPath() = default;
  /// `bytes` need not outlive the call, unless they lie in the slot itself.
  virtual void send(DatagramSlot& slot, std::span<const std::byte> bytes) = 0;
  /// The conversation goes on elsewhere and takes the slot along: what has been sent must not need it any more.
  virtual void let_go(DatagramSlot&) {}
};

/// What a raw listener received, the same for IPv4 and IPv6. Refers to the Datagram.
struct Packet {
  Endpoint source, destination;  ///< without port; destination: a group's or a broadcast address too
  std::uint8_t protocol;
  std::uint8_t ttl;                   ///< what is left of it; of IPv6 the hop limit
  std::uint32_t interface;            ///< it came in by
  bool may_be_answered;               ///< else reply() sends nothing: see serve/packets.h
  std::span<const std::byte> header;  ///< of IPv4, with its options: for Ipv4View; of IPv6 empty, the kernel keeps it
  std::span<const std::byte> payload;
};

/// One datagram, as a handler sees it. Belongs to its conversation, in whichever thread that runs.
class Datagram : private Operation {
 public:
  /// `path` takes the answers that are given before the first wait; later ones leave by themselves over `listener`.
  Datagram(std::unique_ptr<DatagramSlot>& slot, const std::shared_ptr<Listener>& listener, Waiter& waiter,
           AnswerPath& path) noexcept;
  ~Datagram();

  class Sleep {
   public:
    Sleep(Datagram& request, Millis duration) noexcept : request_(request), duration_(duration) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handler) noexcept { return request_.begin_sleep(handler, duration_); }
    bool await_resume() const noexcept { return request_.outcome == Outcome::done; }

   private:
    Datagram& request_;
    Millis duration_;
  };

  class Readable {
   public:
    Readable(Datagram& request, Time until) noexcept : request_(request), until_(until) {}
    bool await_ready() const noexcept { return request_.is_cut_off(); }
    bool await_suspend(std::coroutine_handle<> handler) noexcept { return request_.begin_readable(handler, until_); }
    Outcome await_resume() const noexcept { return request_.is_cut_off() ? Outcome::cancelled : request_.outcome; }

   private:
    Datagram& request_;
    Time until_;
  };

  /// What was received; stays until the task ends.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return slot_->payload(); }
  /// The same, to be turned into its own answer, which then is not copied.
  [[nodiscard]] std::span<std::byte> in_place() noexcept { return slot_->payload(); }
  [[nodiscard]] const Endpoint& from() const noexcept { return slot_->from; }
  /// The address it was sent to, with the listener's port.
  [[nodiscard]] Endpoint to() const noexcept;

  /// As a packet of IP; of a raw listener alone.
  [[nodiscard]] bool is_packet() const noexcept { return listener_.is_raw(); }
  [[nodiscard]] Packet packet() const noexcept;

  /// The longest answer that may be given to this request (Limits::amplification).
  [[nodiscard]] std::size_t room() const noexcept {
    return slot_->known ? AnswerGuard::longest : hosted().answers.room(from(), slot_->size);
  }
  /// The sender is where it says it is: trusted, or recognised by the service.
  [[nodiscard]] bool is_known() const noexcept { return slot_->known || hosted().answers.trusts(from()); }

  /// Answers, from the address the request was sent to. Never waits: what the kernel does not take at once is dropped
  /// and counted, as the network would. False when the answer is longer than room().
  bool reply(std::span<const std::byte> answer);
  bool reply(std::string_view answer) { return reply(std::as_bytes(std::span(answer))); }
  /// Answers with a packet that begins with its IPv4 header, where the listener has own_header; there, reply() writes one.
  /// Length, checksum and what is 0 of id and source the kernel fills in (raw(7)). False when it is no whole packet, when
  /// it is for somebody else than the sender, when its payload is longer than room(), or when a header is not ours to write.
  bool reply_with_header(std::span<const std::byte> packet);

  /// Waits without holding up others, where the design can. False when the conversation was cut meanwhile.
  [[nodiscard]] Sleep sleep(Millis duration) noexcept { return {*this, duration}; }

  /// As those of a Connection.
  template <class Function>
  [[nodiscard]] BackgroundCall<Datagram> run_in_background(Function& function) noexcept {
    return {*this, function};
  }
  [[nodiscard]] BackgroundRead<Datagram> read_file(int file, std::uint64_t offset, std::span<std::byte> into) noexcept {
    return {*this, file, offset, into};
  }
  // For an Exchange.
  /// A socket that is closed at the conversation's end, once: a handler may end in another thread than the one in which its
  /// use can be ended. May throw std::bad_alloc.
  void take_socket(Socket socket);
  /// Waits until that socket has something to receive. Outcome::cancelled when the conversation was cut.
  [[nodiscard]] Readable readable(Time until) noexcept { return {*this, until}; }
  /// Looks at the clock; deadlines are reckoned from here.
  [[nodiscard]] Time now() noexcept {
    waiter_.refresh_now();
    return waiter_.now();
  }
  /// Why readable() has failed.
  [[nodiscard]] int failure() const noexcept { return error; }
  [[nodiscard]] bool is_cut_off() const noexcept { return hosted().level.is_cut(); }

  /// At the end: back to the waiter's own thread, where its use of this datagram can be ended.
  class Home {
   public:
    explicit Home(Datagram& request) noexcept : request_(request) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> root) noexcept { return request_.begin_home(root); }
    void await_resume() const noexcept {}

   private:
    Datagram& request_;
  };
  [[nodiscard]] Home home() noexcept { return Home(*this); }

  // For whoever runs the conversation.
  [[nodiscard]] bool has_waited() const noexcept { return has_waited_; }
  [[nodiscard]] std::unique_ptr<DatagramSlot> take_slot() noexcept { return std::move(slot_); }
  [[nodiscard]] HostedService& hosted() const noexcept { return *listener_.hosted; }
  /// Before the handler is destroyed while it waits: what it waits for does not refer to it any more.
  void give_up() noexcept { waiter_.forget(*this); }

 private:
  template <class Client>
  friend class BackgroundCall;
  template <class Client>
  friend class BackgroundRead;

  bool send(std::span<const std::byte> answer, std::size_t payload);
  bool send_behind_header(std::span<const std::byte> answer);
  void leave_batch() noexcept;
  bool begin_wait(std::coroutine_handle<>, Kind) noexcept;
  bool begin_sleep(std::coroutine_handle<>, Millis) noexcept;
  bool begin_home(std::coroutine_handle<>) noexcept;
  bool begin_work(std::coroutine_handle<>, Work&) noexcept;
  bool begin_readable(std::coroutine_handle<>, Time until) noexcept;
  bool end_work() const noexcept { return outcome == Outcome::done && !is_cut_off(); }
  void work_is_done() noexcept { outcome = Outcome::done; }

  std::unique_ptr<DatagramSlot> slot_;
  const std::shared_ptr<Listener>& door_;  ///< the door's own; only until the first wait
  Listener& listener_;
  Waiter& waiter_;
  AnswerPath* path_;  ///< null: there was no memory for one
  std::unique_ptr<AnswerPath> own_path_;
  bool has_waited_ = false;  ///< and may have changed its thread
  Socket socket_;
};

}  // namespace superd
