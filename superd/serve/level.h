#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "superd/async/waiter.h"
#include "superd/net/endpoint.h"

namespace superd {

class Level;

/// One place in a Level. Taking one is the only way to run a conversation; its destructor gives it back. A Seat may be
/// moved to another thread; one Seat must not be used by two threads at once.
class [[nodiscard]] Seat {
 public:
  Seat() noexcept = default;
  Seat(Seat&& other) noexcept : level_(std::exchange(other.level_, nullptr)), client_(other.client_), fd_(other.fd_) {}
  Seat& operator=(Seat&& other) noexcept;
  ~Seat() { leave(); }

  [[nodiscard]] bool is_taken() const noexcept { return level_ != nullptr; }
  /// Gives the place back; before the conversation's descriptor is closed, because the Level may shut that down.
  void leave() noexcept;

 private:
  friend class Level;
  /// A client and how many places it has, in the Level's table.
  using Client = std::pair<const ClientKey, int>;

  explicit Seat(Level* level) noexcept : level_(level) {}

  Level* level_ = nullptr;
  Client* client_ = nullptr;  ///< null: not counted for a client
  int fd_ = -1;
};

/// The conversations that are under way in one service, and the bounds on them. Thread-safe. Must outlive its seats.
class Level {
 public:
  enum class Refusal : std::uint8_t { full, client_has_enough };

  Level(int level, int per_client) noexcept : level_(level), per_client_(per_client) {}

  /// A place for a connection of this client; `fd` is what cut_all() will shut down.
  std::expected<Seat, Refusal> take(const ClientKey& client, int fd);

  /// A place for a datagram that is handled where it was received. It counts towards the level; per_client does not
  /// apply until the handler turns out to wait: see charge().
  std::expected<Seat, Refusal> take() noexcept;

  /// Counts a seat from take() for its client from now on, though never refuses: it is under way already.
  void charge(Seat&, const ClientKey& client);

  /// How many could be taken now; others may take them meanwhile.
  [[nodiscard]] int vacant() const noexcept { return level_ - count(); }
  [[nodiscard]] int count() const noexcept { return count_.load(std::memory_order_acquire); }
  [[nodiscard]] int peak() const noexcept { return peak_.load(std::memory_order_relaxed); }

  /// Asks for `operation`, of kind signal, to be signalled when a place may be free. False, and nothing asked, when one
  /// is free already. Who has asked withdraws when it wants none any more.
  bool ask_for_vacancy(Waiter&, Operation&);
  void withdraw(const Operation&);

  /// Shuts down the connections of all who are seated (shutdown(2)): whatever they wait for ends, under every design.
  /// From then on is_cut() tells why.
  void cut_all() noexcept;
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_.load(std::memory_order_relaxed); }

 private:
  friend class Seat;
  void give_back(Seat&) noexcept;
  bool count_one() noexcept;
  void note_fd(Seat&, int fd);
  void tell_next() noexcept;

  const int level_;
  const int per_client_;
  std::atomic<int> count_{0};
  std::atomic<int> peak_{0};
  std::atomic<bool> is_cut_{false};
  std::atomic<int> asking_count_{0};

  std::mutex mutex_;
  std::unordered_map<ClientKey, int> clients_;
  std::vector<bool> seated_;  // by descriptor
  std::vector<std::pair<Waiter*, Operation*>> asking_;
};

}  // namespace superd
