#pragma once

#include <cstdint>

#include "superd/net/passive.h"

namespace superd {

/// What passive() sets before a socket is bound.
[[nodiscard]] Result<> set_for_binding(int socket, const Endpoint&, const ListenOptions&, const std::string& where);
[[nodiscard]] Result<> set_for_streams(int socket, const ListenOptions&, const std::string& where);
[[nodiscard]] Result<> set_for_datagrams(int socket, const Endpoint&, const ListenOptions&, const std::string& where);

/// "udp 0.0.0.0:37", "tcp [::]:7%eth0"; for messages.
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
