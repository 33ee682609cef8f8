#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "superd/config/service_table.h"

namespace superd {

/// What has to happen so that one table is served instead of another. Plain values, in the order of the files.
struct Plan {
  /// A key whose value differs, as the configuration writes both; empty where it is not set.
  struct Difference {
    std::string key, before, after;
    friend bool operator==(const Difference&, const Difference&) = default;
  };
  struct Change {
    std::string service;
    std::vector<Difference> keys;  ///< none: what a name of the file stands for, such as a user, is another one
    friend bool operator==(const Change&, const Change&) = default;
  };
  /// A listener, by its service and its address as written.
  struct Place {
    std::string service, address;
    friend bool operator==(const Place&, const Place&) = default;
  };
  /// One whose socket goes over from a service to another, with whoever waits at it.
  struct Move {
    Place from, to;
    friend bool operator==(const Move&, const Move&) = default;
  };

  std::vector<Difference> program;  ///< of [superd]
  std::vector<std::string> come, go;
  std::vector<Change> change;
  std::vector<Place> bind, keep, close;
  std::vector<Move> move;

  [[nodiscard]] bool is_empty() const noexcept {
    return program.empty() && come.empty() && go.empty() && change.empty() && bind.empty() && close.empty() &&
           move.empty();
  }
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// Pure: looks at nothing but the two tables.
[[nodiscard]] Plan difference(const ServiceTable& now, const ServiceTable& wanted);

/// A line for each service and key that differs, for people; empty when nothing does.
[[nodiscard]] std::string print_plan(const Plan&);

/// What all addresses that are the same place have in common, with this port_base.
[[nodiscard]] std::string place_of(const ListenAddress& address, std::uint16_t port_base);
/// Whether its socket can go over to another service with the place: not where the kernel chose the port, of which each
/// wants its own, nor a raw one, which may have a peer and a header for life and is easily had twice.
[[nodiscard]] bool goes_over(const ListenAddress&) noexcept;

/// Whether a socket that was bound for the one address serves for the other: however they are written, and with the
/// port_base of each.
[[nodiscard]] bool is_same_place(const ListenAddress& a, std::uint16_t base_of_a, const ListenAddress& b,
                                 std::uint16_t base_of_b) noexcept;

}  // namespace superd
