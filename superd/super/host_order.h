#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "superd/config/service_table.h"

namespace superd {

/// What crosses the channel between the keeper and a host. The keeper asks, and the host answers each with `done` or
/// `failed` but for `drain`, `cut` and `report`, which have no answer.
enum class HostVerb : char {
  // To the host.
  change = 'c',  ///< a HostOrder, with its sockets and boards
  drain = 'd',   ///< take in nobody but those in the backlog, end when all have ended; the text: at most so many ms
  retire = 't',  ///< the same where other hosts serve its services from now on
  cut = 'x',     ///< the same at once
  report = 'r',  ///< log what the designs tell of themselves
  // From it.
  done = 'o',    ///< also its first word, when it serves
  failed = 'f',  ///< the text: why
};

/// What a host shall do otherwise from now on. What it does not name stays as it is.
struct HostOrder {
  /// A listening socket that comes along: of which service, and which of its addresses.
  struct Place {
    std::string service;
    std::size_t address = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  ServiceTable table;                ///< the services that are new or differ, and the keys of [superd]
  std::vector<std::string> removed;  ///< services that it shall not serve any more
  std::vector<std::string> moved;    ///< the same, because another host serves them
  std::vector<std::string> boards;   ///< services whose scoreboard comes along
  std::vector<Place> listeners;      ///< behind the boards, in this order

  friend bool operator==(const HostOrder&, const HostOrder&) = default;
};

/// The table crosses as a configuration does, so that a new key needs nothing here.
[[nodiscard]] std::string print_host_order(const HostOrder&);
[[nodiscard]] Result<HostOrder> parse_host_order(std::string_view text);

}  // namespace superd
