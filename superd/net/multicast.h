#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/error.h"
#include "superd/net/endpoint.h"

namespace superd {

/// A group of receivers that a socket is in (RFC 1112; RFC 4291, 2.7), as the configuration writes it: "239.1.2.3",
/// "239.1.2.3%eth0", "ff15::1234%eth0", "10.0.0.5@232.1.1.1%eth0". A value.
struct Membership {
  Endpoint group;                  ///< port 0
  std::optional<Endpoint> source;  ///< the only one whose datagrams are received (RFC 4607)
  std::string interface;           ///< by which they come; empty: the listener's, or the one that the routes lead to
  std::string text;                ///< as written

  static Result<Membership> parse(std::string_view text);
  friend bool operator==(const Membership&, const Membership&) = default;
};

/// How a datagram socket deals with groups and broadcasts. Plain values.
struct GroupOptions {
  std::vector<Membership> groups;
  /// Routers that what is sent to a group may pass, plus one: a group is of this link unless somebody says otherwise.
  int ttl = 1;
  bool loop = true;        ///< what is sent to a group comes to its members on this machine, too
  std::string interface;   ///< by which is sent to groups; empty: as the routes say
  bool broadcast = false;  ///< may send to broadcast addresses (SO_BROADCAST, socket(7))

  friend bool operator==(const GroupOptions&, const GroupOptions&) = default;
};

/// Whether a socket that is bound there receives what is sent to this group: it is of the same version of IP, and bound to
/// every address or to the group itself.
[[nodiscard]] bool can_join(const Endpoint& local, const Membership&) noexcept;

/// Joins the groups that are wanted and were not, leaves those that are wanted no more, and sets the rest; `device`: the
/// interface that the socket is bound to, or empty. Groups that it cannot join by its address are left out. An error where
/// one is not to be joined, as by an interface that is not there (ENODEV).
[[nodiscard]] Result<> change_groups(int socket, const Endpoint& local, const std::string& device,
                                     const GroupOptions& now, const GroupOptions& wanted, const std::string& where);

/// Sends to a group over a socket that can_join() it, to the port that the socket is bound to, by the group's interface. Never
/// blocks. False: it was not sent, errno tells why.
bool send_to_group(int socket, const Endpoint& local, const Membership&, std::string_view text) noexcept;

}  // namespace superd
