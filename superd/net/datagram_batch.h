#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"

namespace superd {

/// One received datagram and room for its bytes. The room is as large as a datagram can be, and costs memory only
/// where it was written.
struct DatagramSlot {
  static constexpr std::size_t room = 65536;

  DatagramSlot() noexcept;  ///< the room is not written, not even by make_unique()

  Endpoint from;
  /// The address it was sent to, without the port; unspecified family when the socket is bound to one address. On a
  /// socket of both families an IPv4 address is a mapped one, here and in `from`.
  Endpoint to;
  std::uint32_t interface = 0;     ///< it came in by, 0 when `to` is unspecified
  std::uint32_t kernel_drops = 0;  ///< the socket's total so far (SO_RXQ_OVFL), 0 when none yet
  bool truncated = false;
  bool to_many = false;     ///< sent to a broadcast address or an IPv4 group, as far as the kernel tells (IP_PKTINFO)
  bool silent = false;      ///< for the receiver's use: a packet that is shown to the handler, and never answered
  std::uint8_t ttl = 0;     ///< of a packet: what it had left of its time to live, or of its hops
  std::uint8_t header = 0;  ///< of a packet of IPv4: the bytes of its header, before its payload
  bool admitted = false;    ///< for the receiver's use: may be answered
  bool known = false;       ///< for the receiver's use: is where it says it is, so answers to it need no bounds
  Time received{};          ///< for the receiver's use
  std::size_t size = 0;     ///< of the payload
  alignas(64) std::array<std::byte, 128> control;
  std::array<std::byte, room> bytes;

  [[nodiscard]] std::span<std::byte> payload() noexcept { return {bytes.data() + header, size}; }
  /// That of an IPv4 packet from a raw socket; else empty.
  [[nodiscard]] std::span<const std::byte> ip_header() const noexcept { return {bytes.data(), header}; }
};

/// Receives up to slots.size() datagrams with one recvmmsg(2) and fills the slots in order. `flags`: MSG_DONTWAIT, or
/// MSG_WAITFORONE to block for the first. At most 64 at once. Returns how many arrived, or the errno of a failed call as
/// the error. Thread-safe for different slots: several workers may receive on one socket.
[[nodiscard]] std::expected<std::size_t, int> receive_datagrams(int fd, std::span<DatagramSlot* const> slots,
                                                                int flags) noexcept;

/// Answers that leave together in one sendmmsg(2). Owned by one thread. A datagram that the kernel does not take
/// (EAGAIN, ENOBUFS, a refused address) is dropped and counted, never waited for.
///
/// Neighbours of one size to one client leave as the segments of a single send (udp(7), UDP_SEGMENT): one way through the
/// stack for all of them, and separate datagrams at the client. On a raw socket, which cannot, each leaves by itself.
class Outbox {
 public:
  static constexpr std::size_t capacity = 64;

  /// `room`: how many answers it holds before it flushes itself. `segments`: the socket is one of UDP.
  /// `names_source`: it is bound to no address, which would name it for less.
  explicit Outbox(int fd, std::size_t room = capacity, bool segments = true, bool names_source = true);
  Outbox(const Outbox&) = delete;  // the headers point into it
  Outbox& operator=(const Outbox&) = delete;

  /// Queues an answer to slot.from, leaving from slot.to when that is known. `bytes` inside the slot's own payload are
  /// sent from there, so the slot must stay until flush(); others are copied. A full outbox flushes itself first.
  void add(DatagramSlot& slot, std::span<const std::byte> bytes);

  struct Sent {
    std::uint64_t datagrams = 0, bytes = 0, dropped = 0;
  };
  /// Sends all that is queued. Never blocks. Returns what has left and been dropped since the last flush() returned.
  Sent flush() noexcept;
  [[nodiscard]] bool is_empty() const noexcept { return answers_ == 0; }

 private:
  /// One send: where to and from, for one answer or for several of `segment` bytes each.
  struct Envelope {
    sockaddr_in6 to;
    socklen_t to_size;
    std::size_t segment;
    std::size_t source_size;  ///< of the control data that names the address it leaves from
    alignas(cmsghdr) std::array<std::byte, 64> control;
  };

  [[nodiscard]] bool joins(const Envelope& last, const msghdr& header, const Envelope& fresh) const noexcept;
  void open_envelope(const Envelope& fresh);
  void send_queued() noexcept;
  void send_apart(std::size_t refused) noexcept;

  int fd_;
  bool segments_, names_source_;
  std::size_t answers_ = 0, envelopes_ = 0;
  Sent sent_;
  std::vector<iovec> parts_;                    // an answer each
  std::vector<std::vector<std::byte>> copies_;  // keep their room from answer to answer
  std::vector<Envelope> letters_;
  std::vector<mmsghdr> headers_;  // one for each envelope, its answers are neighbours in parts_
};

}  // namespace superd
