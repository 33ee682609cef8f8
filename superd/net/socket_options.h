#pragma once

#include <cstdint>
#include <span>

#include "superd/net/passive.h"

namespace superd {

/// What passive() sets before a socket is bound.
[[nodiscard]] Result<> set_for_binding(int socket, const Endpoint&, const ListenOptions&, const std::string& where);
[[nodiscard]] Result<> set_for_streams(int socket, const ListenOptions&, const std::string& where);
[[nodiscard]] Result<> set_for_datagrams(int socket, const Endpoint&, const ListenOptions&, const std::string& where);
/// Of a raw socket, before and after it is bound: options, types of ICMP and filter. A peer, and a header of one's own, are
/// for the socket's whole life.
[[nodiscard]] Result<> set_for_raw(int socket, const ListenAddress&, const ListenOptions&);
[[nodiscard]] Result<> filter_raw(int socket, const ListenAddress&, const RawOptions&);
[[nodiscard]] Result<> change_raw(int socket, const ListenAddress&, const ListenOptions& now,
                                  const ListenOptions& wanted);

/// An option of setsockopt(2) that is a number.
struct Option {
  int level, name, value;
  const char* text;
  bool needed = true;  ///< others make it better where the kernel has them
};
[[nodiscard]] Result<> set_options(int socket, std::span<const Option> options, const std::string& where);
/// The buffers that are wanted; 0 in the options: `otherwise`, or the kernel's where that is 0 too.
void ask_for_buffers(int socket, const ListenOptions& options, int otherwise);

// A burst of 10,000 datagrams of 16 bytes is charged 832 bytes each, 8.3 MB; the kernel doubles what it is asked for,
// so twice that fits, and even the half that an rmem_max of 4 MiB leaves. Answers to a burst leave as quickly.
constexpr int burst_buffer = 8 << 20;

// The smallest path an IPv6 packet must fit (RFC 8200, 5).
constexpr int smallest_v6_path = 1280;

/// "udp 0.0.0.0:37", "tcp [::]:7%eth0"; of a raw socket as it was written; for messages.
[[nodiscard]] std::string where_text(const ListenAddress& address, const Endpoint& endpoint);

/// Other options for a socket that passive() has made at this address, while it listens on: backlog, buffers and
/// keepalive, which connections accepted from now on inherit; and mode, owner and group of a unix socket's file, which
/// must still be that socket's. What cannot be changed is an error; the rest is. A size of 0 leaves a stream's buffers as
/// they are: the kernel does not go back to its own sizes.
[[nodiscard]] Result<> change_options(int socket, const ListenAddress&, const ListenOptions& now,
                                      const ListenOptions& wanted);

/// Lets another socket of this user be bound to the same port, or no more (SO_REUSEPORT, socket(7)): for the moment in
/// which one takes the place of another whose address contains its own.
void share_port(int socket, bool is_shared) noexcept;

/// As passive(), beside sockets that share its port, which the new one does not.
[[nodiscard]] Result<Socket> passive_beside(const ListenAddress&, const ListenOptions&);

/// Which socket a descriptor stands for (SO_COOKIE): the same for all its duplicates, and never again another one's.
[[nodiscard]] std::uint64_t identity_of(const Socket&) noexcept;

}  // namespace superd
