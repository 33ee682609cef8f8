#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "superd/async/task.h"
#include "superd/async/waiter.h"
#include "superd/serve/accept_errors.h"
#include "superd/serve/converse.h"
#include "superd/serve/datagram_queue.h"
#include "superd/serve/held_clients.h"
#include "superd/serve/listener.h"
#include "superd/serve/worker.h"

namespace superd {

class BatchPath;
class Door;

/// Where a conversation runs: what tells one design from another.
class Placement {
 public:
  virtual ~Placement() = default;

  /// Begins the conversation of a new connection. False: it cannot now (no thread to be had); nothing was taken, and
  /// the door asks again after a pause.
  virtual bool place(HostedService& hosted, Socket& socket, Seat& seat) = 0;

  /// Nobody is taken in before; they wait in the backlog. Asked by each door before each connection, but not while it
  /// closes.
  [[nodiscard]] virtual Time held_back_until() const noexcept { return {}; }

  /// The door rests until Door::go_on(), because of what it placed.
  virtual void note_resting(Door&) noexcept {}

  /// A door of this service opens, or closes, for conversations that are placed here; in the thread that places them.
  virtual void note_open(HostedService&) noexcept {}
  virtual void note_closed(HostedService&) noexcept {}

  /// Begins the conversation of a datagram; the slot comes back when it is free again, null when it was kept.
  /// False and nothing taken as above.
  virtual bool place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
                     Seat& seat) = 0;
};

/// Conversations run in the thread that took them in, on the given waiter.
class PlaceHere final : public Placement {
 public:
  explicit PlaceHere(Waiter& waiter) noexcept : waiter_(waiter) {}
  bool place(HostedService& hosted, Socket& socket, Seat& seat) override;
  bool place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
             Seat& seat) override;
  void note_open(HostedService&) noexcept override;
  void note_closed(HostedService&) noexcept override;
  /// See Workers.
  void forget_idle() noexcept { workers_.forget_idle(); }

 private:
  Waiter& waiter_;
  Workers workers_;
};

/// Takes clients in at one listener, in one thread: accepts or receives, minds the bounds, and hands each conversation
/// to a Placement. Several doors may stand at one listener, each with a thread of its own.
///
/// It never ends by itself and never spins: what passes by itself (out of descriptors, memory, threads) is counted and
/// waited out, with a pause that doubles from 10 ms to 1 s; nobody who is already in notices.
class Door {
 public:
  struct Manner {
    /// The listening socket blocks, and the waiter with it: nobody else is served by this thread meanwhile.
    bool blocking = false;
    /// How many are taken in before others at the same waiter get their turn.
    int burst = 16;
    /// How many datagrams are received at once; 1 where another thread could serve the next one meanwhile. There, a door
    /// that blocks cannot look at the clock: between poll(2) and accept(2) another one may take the client.
    int batch = 64;
    /// After each conversation that was placed, it waits for go_on(): whoever turns the waiter begins the conversation
    /// then, when the door is no longer on its stack and can go to another thread.
    bool rests = false;
    /// Bytes of datagrams that may wait for a place here instead of in the socket's buffer; 0: none.
    std::size_t queue = 0;
  };

  Door(std::shared_ptr<Listener> listener, Waiter& waiter, Placement& placement, Manner manner);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  /// Begins; on a Blocking waiter it returns when the door has closed.
  void open() noexcept;

  [[nodiscard]] bool is_resting() const noexcept { return static_cast<bool>(resting_); }
  /// Lets a resting door go on. `late`: the conversation that it placed last took too long for others to wait for.
  void go_on(bool late) noexcept;

  [[nodiscard]] bool has_queued() const noexcept { return !queue_.is_empty(); }
  /// Places the datagram that has waited longest in the queue. False: there is none, or no seat for it.
  bool place_queued() noexcept;
  /// Sends the answers that have been gathered.
  void flush() noexcept;
  /// Receiving is separated from handling: what arrives goes to the queue.
  [[nodiscard]] bool queues() const noexcept { return manner_.queue > 0 && (has_queued() || was_late_); }

  /// Any thread: takes in those who are already in the backlog, as many as it holds now, and no more. Repeatable. A
  /// thread that blocks in accept(2) or recvmmsg(2) has to be interrupted besides, by a signal, until is_closed().
  void close() noexcept;

  /// The same from a signal handler in the door's own thread: a wait that is under way goes on to its end, and all waits
  /// of a blocking door whose level is in processes are short.
  void close_from_handler() noexcept { end_.store(Ending::closes); }

  /// Any thread: takes nobody in any more, because another door at this listener is about to: those in the backlog are
  /// for that one, and who is already in is seated and served. Repeatable, and with an interruption as close().
  void leave() noexcept;
  /// Any thread: after it has been true, this door accepts and receives nothing any more.
  [[nodiscard]] bool has_left() const noexcept {
    return is_closed() || (end_.load() != Ending::open && !is_taking_.load());
  }

  /// Any thread.
  [[nodiscard]] bool is_closed() const noexcept { return closed_.load(std::memory_order_acquire); }
  [[nodiscard]] int fd() const noexcept { return operation_.fd; }
  [[nodiscard]] const std::shared_ptr<Listener>& listener() const noexcept { return listener_; }

 private:
  // Long enough that a loop out of descriptors costs nothing, short enough that nobody notices when it is over.
  static constexpr Millis first_pause{10}, longest_pause{100};

  // These two have the only frames, made at open(): a door goes on when there is no memory for another.
  detached attend(task<>& taking_in);
  task<> take_connections();
  task<> take_datagrams();

  // What they wait for.
  [[nodiscard]] Wait more() noexcept;
  [[nodiscard]] Wait vacancy() noexcept;
  [[nodiscard]] Wait calm() noexcept;
  [[nodiscard]] Wait pause() noexcept;
  [[nodiscard]] Wait pause_until(Time) noexcept;

  void pass_vacancy_on() noexcept;

  class Rest {
   public:
    explicit Rest(Door& door) noexcept : door_(door) {}
    bool await_ready() const noexcept { return !door_.manner_.rests; }
    void await_suspend(std::coroutine_handle<> attending) const noexcept { door_.begin_rest(attending); }
    void await_resume() const noexcept {}

   private:
    Door& door_;
  };
  [[nodiscard]] Rest rest() noexcept { return Rest(*this); }
  void begin_rest(std::coroutine_handle<> attending) noexcept {
    resting_ = attending;
    placement_.note_resting(*this);
  }

  int next_client() noexcept;
  int accept_one() noexcept;
  bool chore_comes_first() noexcept;
  int go_on_with_delayed() noexcept;
  void end_tarpitted() noexcept;
  [[nodiscard]] ClientKey client_key() const noexcept;
  void admit() noexcept;
  void take_seat() noexcept;
  void greet() noexcept;
  void note_refusal(Refusal why, const Endpoint& from) noexcept;
  void refuse(Refusal why) noexcept;
  void end_refused() noexcept;
  Trouble note_trouble(int code) noexcept;
  void tell_pause(int code) const noexcept;

  [[nodiscard]] std::expected<std::size_t, int> receive_batch() noexcept;
  void judge_batch(std::size_t count) noexcept;
  [[nodiscard]] AnswerGuard::Verdict judge(const DatagramSlot&) noexcept;
  enum class Place : std::uint8_t { found, none, none_needed };
  Place find_place(const DatagramSlot&) noexcept;
  Place seat_datagram(const DatagramSlot&) noexcept;

  enum class Ending : std::uint8_t { open, leaves, closes };
  [[nodiscard]] bool is_closing() const noexcept { return end_.load(std::memory_order_acquire) == Ending::closes; }
  [[nodiscard]] bool may_take_in() noexcept;
  [[nodiscard]] bool has_delayed() noexcept;
  [[nodiscard]] bool is_too_busy() const noexcept;
  [[nodiscard]] bool can_delay() const noexcept;
  [[nodiscard]] Time next_chore() const noexcept;

  const std::shared_ptr<Listener> listener_;
  HostedService& hosted_;
  Waiter& waiter_;
  Placement& placement_;
  const Manner manner_;
  Operation operation_;
  Millis pause_;
  bool has_asked_ = false;         ///< for a vacancy
  std::optional<int> last_calls_;  ///< once closing: how many more are taken in
  std::atomic<Ending> end_{Ending::open};
  // From the last look at end_ to the end of the system call that takes somebody in. Either that look sees what leave()
  // has stored, or has_left() sees this: both are stored before the other is read, in one order for all.
  std::atomic<bool> is_taking_{false};
  std::atomic<bool> closed_{false};

  // The connection that was accepted last, until it is placed.
  Socket accepted_;
  Endpoint from_;
  ClientKey client_;
  Time taken_in_{};
  Seat seat_;

  HeldClients delayed_, tarpit_;

  // The batch that was received last, until it is placed.
  std::vector<std::unique_ptr<DatagramSlot>> slots_;
  std::unique_ptr<BatchPath> path_;

  std::coroutine_handle<> resting_;
  DatagramQueue queue_;
  bool was_late_ = false;  // the last conversation, and the queue has not been empty since
  std::unique_ptr<DatagramSlot> queued_slot_;
};

}  // namespace superd
