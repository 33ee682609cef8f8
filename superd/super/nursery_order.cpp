#include "superd/super/nursery_order.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "superd/config/config.h"

namespace superd::nursery {

namespace {

using Json = nlohmann::json;

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
  Json services = Json::array(), listeners = Json::array();
  for (const auto& [service, limits] : order.services)
    services.push_back({{"service", service}, {"config", as_config(order.design, limits)}});
  for (const auto& [service, transport] : order.listeners)
    listeners.push_back({{"service", service}, {"transport", static_cast<int>(transport)}});
  return Json{{"services", services}, {"listeners", listeners}}.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Result<Order> parse_order(std::string_view text) try {
  const auto json = Json::parse(text);
  Order order;
  for (const auto& entry : json.at("services")) {
    const auto table = parse_config(entry.at("config").get<std::string>(), "order");
    if (!table) return error(table.error().front());
    const auto& settings = table->services.at(0);
    order.design = settings.design;
    order.services.push_back({entry.at("service").get<std::string>(), settings.limits});
  }
  for (const auto& entry : json.at("listeners")) {
    const auto service = entry.at("service").get<std::size_t>();
    if (service >= order.services.size()) return error("a listener of no service");
    order.listeners.push_back({service, static_cast<Transport>(entry.at("transport").get<int>())});
  }
  return order;
} catch (const std::exception& failure) {
  return error(std::string("an order that cannot be read: ") + failure.what());
}

}  // namespace superd::nursery
