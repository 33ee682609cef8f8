#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/error.h"
#include "superd/designs/design.h"
#include "superd/net/socket.h"
#include "superd/services/services.h"

/// What crosses the channel to a nursery.
namespace superd::nursery {

/// To the nursery: the text is the number of a design, and with `open` an order behind it. The answer is `done`, `not_yet`,
/// or `failed` and why.
enum class Verb : char {
  open = 'o',
  close = 'c',
  leave = 'l',
  is_done = 'i',
  cut = 'x',
  drop = 'p',
  done = 'd',
  not_yet = 'n',
  failed = 'f'
};

/// A design that shall be opened: how, and for which services. Their scoreboards and the listening sockets come beside
/// it, in this order.
struct Order {
  struct Served {
    std::string service;
    std::uint64_t board = 0;     ///< the id of its scoreboard
    bool has_board = false;      ///< its descriptor comes too
    std::string handler{};       ///< a row of services(); empty: one of the caller's own, or a program
    HandlerSettings settings{};  ///< what it is told
    std::optional<Program> program{};
    Limits limits{};
    friend bool operator==(const Served&, const Served&) = default;
  };
  struct Place {
    std::size_t service;  ///< which of `services` is behind it
    Transport transport;
    friend bool operator==(const Place&, const Place&) = default;
  };

  DesignSettings design;
  std::vector<Served> services;
  std::vector<Place> listeners;

  friend bool operator==(const Order&, const Order&) = default;
};

[[nodiscard]] Order order_for(const DesignSettings&, Listeners);

/// Settings, limits and programs cross as a configuration does, so that a new key needs nothing here.
[[nodiscard]] std::string print_order(const Order&);
[[nodiscard]] Result<Order> parse_order(std::string_view text);

}  // namespace superd::nursery
