#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "superd/async/waiter.h"
#include "superd/base/counter.h"
#include "superd/base/shared_memory.h"
#include "superd/net/endpoint.h"
#include "superd/serve/descriptor_set.h"
#include "superd/serve/overall_level.h"
#include "superd/serve/seat_counts.h"

namespace superd {

class Level;

/// One place in a Level. Taking one is the only way to run a conversation; its destructor gives it back. A Seat may be
/// moved to another thread; one Seat must not be used by two threads at once.
class [[nodiscard]] Seat {
 public:
  Seat() noexcept = default;
  Seat(Seat&& other) noexcept
      : level_(std::exchange(other.level_, nullptr)),
        client_(other.client_),
        fd_(other.fd_),
        process_(other.process_),
        taken_in_(other.taken_in_) {}
  Seat& operator=(Seat&& other) noexcept;
  ~Seat() { leave(); }

  [[nodiscard]] bool is_taken() const noexcept { return level_ != nullptr; }
  /// Gives the place back; before the conversation's descriptor is closed, because the Level may shut that down.
  void leave() noexcept;

  /// When the client was taken in, who may have waited for more than a place since then.
  void note_taken_in(Time when) noexcept { taken_in_ = when; }
  /// The clock's beginning where nobody has noted it.
  [[nodiscard]] Time taken_in() const noexcept { return taken_in_; }
  /// The client it is counted for, or SeatCounts::nobody.
  [[nodiscard]] const ClientKey& client() const noexcept { return client_; }

  /// The same client and time, and no place: for a process that serves while its parent holds this one.
  [[nodiscard]] Seat shadow() const noexcept {
    Seat same(nullptr, client_, 0);
    same.taken_in_ = taken_in_;
    return same;
  }

 private:
  friend class Level;
  Seat(Level* level, const ClientKey& client, std::uint32_t process) noexcept
      : level_(level), client_(client), process_(process) {}

  Level* level_ = nullptr;
  ClientKey client_;  ///< SeatCounts::nobody: not counted for a client
  int fd_ = -1;
  std::uint32_t process_ = 0;  ///< for which it was counted besides
  Time taken_in_{};
};

/// The conversations that are under way in one service, and the bounds on them. Thread-safe. Must outlive its seats.
///
/// The numbers lie in shared memory and hold for all processes forked from here; who waits for a vacancy, and which
/// descriptors are seated, is each process's own.
class Level {
 public:
  using Refusal = SeatRefusal;

  /// In memory of its own.
  Level(int level, int per_client) : Level(SeatBounds{level, per_client, most}) {}
  explicit Level(const SeatBounds& bounds);
  /// `counts` has begun, here or in another process, and must outlive the Level; who is seated in it stays.
  Level(SeatCounts& counts, const SeatBounds& bounds) noexcept;

  /// Other bounds from now on, up to `most`. Who is seated stays, even above a lowered level.
  void set_bounds(const SeatBounds& bounds) noexcept;
  void set_bounds(int level, int per_client) noexcept { set_bounds({level, per_client, most}); }
  static constexpr int most = 1'000'000;

  /// A place for a connection of this client; `fd` is what cut_all() will shut down.
  std::expected<Seat, Refusal> take(const ClientKey& client, int fd);

  /// A place for a datagram that is handled where it was received. It counts towards the level; per_client does not
  /// apply until the handler turns out to wait: see charge().
  std::expected<Seat, Refusal> take() noexcept;

  /// Counts a seat from take() for its client from now on, though never refuses: it is under way already.
  void charge(Seat&, const ClientKey& client);

  /// Counts its seats towards this one as well, which must outlive them. Before the first of them is taken.
  void share(std::shared_ptr<OverallLevel> overall) noexcept { overall_ = std::move(overall); }

  /// How many could be taken now; others may take them meanwhile.
  [[nodiscard]] int vacant() const noexcept {
    const int own = counts_.level() - counts_.count();
    return overall_ ? std::min(own, overall_->vacant()) : own;
  }
  [[nodiscard]] int count() const noexcept { return counts_.count(); }
  [[nodiscard]] int peak() const noexcept { return counts_.peak(); }
  [[nodiscard]] int level() const noexcept { return counts_.level(); }
  [[nodiscard]] int per_client() const noexcept { return counts_.per_client(); }

  /// Asks for `operation`, of kind signal, to be signalled when a place may be free. False, and nothing asked, when one
  /// is free already. Who has asked withdraws when it wants none any more. What is given back to another process, or to
  /// another service of an overall level, signals nobody here: while is_told_late(), whoever has asked looks again after a
  /// while.
  bool ask_for_vacancy(Waiter&, Operation&);
  void withdraw(const Operation&);

  /// A socket of a datagram's conversation: cut_all() ends its receiving alone, so that the peer can still be told. Watched
  /// no more before it is closed. May throw std::bad_alloc.
  void watch(int fd);
  void unwatch(int fd) noexcept;

  /// Shuts down the connections of all who are seated (shutdown(2)): whatever they wait for ends, under every design.
  /// From then on is_cut() tells why.
  void cut_all() noexcept;
  /// The same for those of this process alone: others go on serving.
  void cut_here() noexcept;
  [[nodiscard]] bool is_cut() const noexcept {
    return counts_.is_cut() || is_cut_here_.load(std::memory_order_relaxed);
  }

  /// In a process forked from the one that made the level, before it takes its first seat: its seats are also counted
  /// for the process, so that they can be given back should it be killed. Its number (its id does) is not 0.
  void join_as_process(std::uint32_t process) noexcept;
  [[nodiscard]] bool is_in_processes() const noexcept { return counts_.is_in_processes(); }
  [[nodiscard]] bool is_told_late() const noexcept { return overall_ || is_in_processes(); }
  /// Gives back the seats of a process that has died (0: of all that joined), counted in `as`; how many there were.
  int release_process(std::uint32_t process, Counter* as = nullptr) noexcept;

 private:
  friend class Seat;
  std::expected<Seat, Refusal> take_for(const ClientKey&) noexcept;
  void give_back(Seat&) noexcept;
  void note_fd(Seat&, int fd);
  void let_cut_pass() noexcept;
  void tell(int seats) noexcept {
    if (asking_count_.load(std::memory_order_seq_cst) != 0) tell_asking(seats);
  }
  void tell_asking(int seats) noexcept;
  void tell_next() noexcept;

  SharedMemory own_;  // empty where the counts lie in somebody else's
  SeatCounts& counts_;
  std::shared_ptr<OverallLevel> overall_;
  std::uint32_t process_ = 0;
  std::atomic<int> asking_count_{0};
  std::atomic<bool> is_cut_here_{false};

  DescriptorSet seated_, watched_;
  std::mutex mutex_;
  std::vector<std::pair<Waiter*, Operation*>> asking_;
};

}  // namespace superd
