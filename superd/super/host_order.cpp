#include "superd/super/host_order.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "superd/config/config.h"

namespace superd {

namespace {

constexpr std::string_view rest_is_table = "table";

/// The next line, taken off.
std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

Result<HostOrder::Place> parse_place(std::string_view text) {
  std::size_t address = 0;
  const auto space = std::min(text.find(' '), text.size());
  const auto [end, failure] = std::from_chars(text.data(), text.data() + space, address);
  if (failure != std::errc{} || end != text.data() + space || space == text.size())
    return error("an order with a listener of no service");
  return HostOrder::Place{std::string(text.substr(space + 1)), address};
}

Result<> take_table(std::string_view text, HostOrder& order) {
  auto table = parse_config(text, "order");
  if (!table) return error("an order that cannot be read: " + table.error().front());
  order.table = std::move(*table);
  return {};
}

}  // namespace

std::string print_host_order(const HostOrder& order) {
  std::string text;
  const auto into = std::back_inserter(text);
  for (const auto& name : order.removed) fmt::format_to(into, "removed {}\n", name);
  for (const auto& name : order.moved) fmt::format_to(into, "moved {}\n", name);
  for (const auto& name : order.boards) fmt::format_to(into, "board {}\n", name);
  for (const auto& [service, address] : order.listeners) fmt::format_to(into, "listener {} {}\n", address, service);
  // Without a service there is no configuration.
  if (!order.table.services.empty()) fmt::format_to(into, "{}\n{}", rest_is_table, print_config(order.table));
  return text;
}

Result<HostOrder> parse_host_order(std::string_view text) {
  HostOrder order;
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto space = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, space);
    const auto rest = line.substr(std::min(space + 1, line.size()));
    if (word == rest_is_table) {
      if (auto taken = take_table(text, order); !taken) return std::unexpected(taken.error());
      return order;
    }
    if (word == "removed") {
      order.removed.emplace_back(rest);
    } else if (word == "moved") {
      order.moved.emplace_back(rest);
    } else if (word == "board") {
      order.boards.emplace_back(rest);
    } else if (word == "listener") {
      auto place = parse_place(rest);
      if (!place) return std::unexpected(place.error());
      order.listeners.push_back(std::move(*place));
    } else {
      return error("an order with an unknown word");
    }
  }
  return order;
}

}  // namespace superd
