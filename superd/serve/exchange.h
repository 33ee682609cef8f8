#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <span>

#include "superd/serve/datagram.h"

namespace superd {

/// A conversation that one datagram has begun, and that goes on: over a socket of its own, which leaves from the address that
/// was asked and a port of the kernel's choice, as TFTP has it (RFC 1350, 4). It belongs to the handler; what it waits with,
/// and the socket, belong to the Datagram, which must live longer.
///
/// Each wait has a deadline, all of it lasts as long as Limits::total at most, and a cut ends it. What is sent and received
/// is counted as the service's. A handler runs unchanged under every design: in a thread of its own it blocks in poll(2).
class Exchange {
 public:
  explicit Exchange(Datagram& request) noexcept : request_(request) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Before everything else, once. An errno where there is no socket to be had.
  std::expected<void, int> open();

  enum class Event : std::uint8_t {
    datagram,  ///< of the peer
    stranger,  ///< of somebody else, see stranger()
    too_late,  ///< the deadline has passed
    gone,      ///< the peer's host says that nobody is at its port any more (ICMP)
    too_long,  ///< Limits::total is over
    cut,       ///< we are shutting down
    failed,    ///< the engine cannot hold the socket, which has been counted
  };
  struct Received {
    Event event;
    std::span<const std::byte> bytes;  ///< in the room that was given; cut where that was too short
  };

  /// The next datagram, or why there is none. To be awaited.
  task<Received> receive(std::span<std::byte> room, Time until);

  /// The same in steps, for who wants no frame of a coroutine for each datagram:
  ///     const auto outcome = co_await exchange.arrival(until);
  ///     const auto received = exchange.take(outcome, room);
  /// which may find nothing: then `received` is false, and it has to be awaited again.
  [[nodiscard]] Datagram::Readable arrival(Time until) noexcept;
  [[nodiscard]] std::optional<Received> take(Outcome outcome, std::span<std::byte> room) noexcept;

  /// One of the datagrams that are sent: its first bytes, and the others.
  struct Parts {
    std::span<const std::byte> head, body;
  };
  static constexpr std::size_t most_at_once = 64;

  /// Sends them to the peer in order, without waiting, and returns how many have left: all, but where the socket has no
  /// room for more. All have the same size but the last, which may be shorter; at most most_at_once, and 60000 bytes where
  /// there are several. Those leave in one system call, where the link allows it as one send (udp(7), UDP_SEGMENT).
  std::size_t send(std::span<const Parts> datagrams) noexcept;
  bool send(std::span<const std::byte> bytes) noexcept;

  /// Who sent what was received last, when it was not the peer; and an answer to him.
  [[nodiscard]] const Endpoint& stranger() const noexcept { return stranger_; }
  void send_to_stranger(std::span<const std::byte> bytes) noexcept;

  [[nodiscard]] const Endpoint& peer() const noexcept { return peer_; }
  [[nodiscard]] Time now() noexcept { return request_.now(); }

 private:
  [[nodiscard]] std::expected<std::size_t, int> receive_from(std::span<std::byte> room) noexcept;
  [[nodiscard]] bool peer_is_gone() noexcept;
  std::size_t send_segments(std::span<const Parts> datagrams, std::size_t size) noexcept;
  ssize_t send_one(const Parts& datagram) noexcept;
  std::size_t send_each(std::span<const Parts> datagrams) noexcept;
  void count_sent(std::size_t datagrams, std::size_t bytes) noexcept;

  Datagram& request_;
  Endpoint peer_, stranger_;
  int fd_ = -1;
  Time over_{};
  bool may_segment_ = true;
};

}  // namespace superd
