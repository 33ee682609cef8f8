#pragma once

#include <sys/socket.h>

#include <optional>
#include <span>

#include "superd/base/clock.h"
#include "superd/lab/probe_address.h"

namespace superd {

/// An error that the kernel has kept for a socket (ip(7), IP_RECVERR; ipv6(7)): which packet failed, and who says so.
struct ErrorNote {
  ProbeAddress target;                ///< where the packet was to go; of a TCP socket nothing
  AddressBits from;                   ///< who tells of it
  std::uint8_t type = 0, code = 0;    ///< of the ICMP message
  int code_of_host = 0;               ///< what it means to this host: an errno
  bool is_local = false;              ///< found by this host without a packet: `type` and `code` say nothing
  std::uint32_t mtu = 0;              ///< where a packet was too big: what fits
  std::span<const std::byte> quoted;  ///< what the ICMP message has of the packet, from its transport's header on
  Time received{};
};

/// Asks for errors of this socket to be kept.
[[nodiscard]] bool keep_errors(int socket, bool is_v6) noexcept;
/// The next one; `room` takes the quote. Never waits.
[[nodiscard]] std::optional<ErrorNote> next_error(int socket, std::span<std::byte> room) noexcept;

/// One moment on two clocks: the kernel stamps with the wall's.
struct TwoClocks {
  std::chrono::nanoseconds wall;
  Time now;
  [[nodiscard]] static TwoClocks read() noexcept;
};
/// When the kernel received it, where the socket has SO_TIMESTAMPNS, on the monotonic clock; otherwise `clocks.now`, which
/// was read after it had come.
[[nodiscard]] Time received_at(msghdr& header, const TwoClocks& clocks) noexcept;
/// TTL or hop limit, where the socket asks for it; -1: not known.
[[nodiscard]] int hop_limit_of(msghdr& header) noexcept;
/// Gives a packet that is sent its own TTL or hop limit; `room` has CMSG_SPACE(sizeof(int)) bytes.
void set_hop_limit(msghdr& header, std::span<std::byte> room, bool is_v6, int limit) noexcept;

}  // namespace superd
