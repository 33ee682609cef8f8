#include "superd/super/nursery_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "superd/config/config.h"

namespace superd::nursery {

namespace {

// A configuration is not whole without a handler and an address; those that count are over there, or come as sockets.
std::string as_config(const DesignSettings& design, const Limits& limits) {
  ServiceSettings service{
      .name = "it", .handler = "echo", .listen = {}, .design = design, .limits = limits, .options = {}, .group = {}};
  service.listen.push_back(ListenAddress::parse("tcp/127.0.0.1:1").value());
  return print_config({.services = {service}});
}

}  // namespace

Order order_for(const DesignSettings& design, Listeners listeners) {
  Order order{design, {}, {}};
  for (const auto& listener : listeners) {
    const auto& hosted = *listener->hosted;
    const auto known = std::ranges::find(order.services, hosted.name, &Order::Bounds::service);
    order.listeners.push_back({static_cast<std::size_t>(known - order.services.begin()), listener->transport});
    if (known == order.services.end()) order.services.push_back({hosted.name, *hosted.limits});
  }
  return order;
}

std::string print_order(const Order& order) {
  std::string text;
  for (const auto& [service, limits] : order.services) {
    const auto config = as_config(order.design, limits);
    text += fmt::format("service {} {}\n{}{}", service.size(), config.size(), service, config);
  }
  for (const auto& [service, transport] : order.listeners)
    text += fmt::format("listener {} {}\n", service, static_cast<int>(transport));
  return text;
}

Result<Order> parse_order(std::string_view text) {
  Order order;
  std::istringstream lines{std::string(text)};
  for (std::string word; lines >> word;) {
    std::size_t first = 0, second = 0;
    if (!(lines >> first >> second) || lines.get() != '\n' || std::max(first, second) > text.size())
      return error("an order that cannot be read");
    if (word == "listener") {
      if (first >= order.services.size()) return error("a listener of no service");
      order.listeners.push_back({first, static_cast<Transport>(second)});
      continue;
    }
    std::string service(first, '\0'), config(second, '\0');
    lines.read(service.data(), static_cast<std::streamsize>(first));
    lines.read(config.data(), static_cast<std::streamsize>(second));
    const auto table = lines ? parse_config(config, "order") : std::unexpected(std::vector<std::string>{"cut short"});
    if (!table) return error("an order that cannot be read: " + table.error().front());
    order.design = table->services.at(0).design;
    order.services.push_back({service, table->services.at(0).limits});
  }
  if (order.listeners.empty()) return error("an order without listeners");
  return order;
}

}  // namespace superd::nursery
