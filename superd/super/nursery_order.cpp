#include "superd/super/nursery_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "superd/config/config.h"
#include "superd/services/services.h"
#include "superd/super/handlers.h"

namespace superd::nursery {

namespace {

// A configuration is not whole without a name and an address, nor without a handler, which may be over there already;
// those that count come beside it, or as sockets.
std::string as_config(const DesignSettings& design, const Order::Served& served) {
  ServiceSettings service{.name = "it",
                          .handler = "echo",
                          .listen = {},
                          .settings = served.settings,
                          .design = design,
                          .limits = served.limits,
                          .options = {},
                          .group = {}};
  if (!served.handler.empty()) service.handler = served.handler;
  if (served.program) {
    service.program = *served.program;
    service.handler.clear();
  }
  const auto* entry = find_service(service.handler);
  service.listen.push_back(ListenAddress::parse(entry ? some_listener(*entry) : "tcp/127.0.0.1:1").value());
  return print_config({.services = {service}});
}

}  // namespace

Order order_for(const DesignSettings& design, Listeners listeners) {
  Order order{design, {}, {}};
  for (const auto& listener : listeners) {
    const auto& hosted = *listener->hosted;
    const auto known = std::ranges::find(order.services, hosted.board.id(), &Order::Served::board);
    order.listeners.push_back({static_cast<std::size_t>(known - order.services.begin()), listener->transport});
    if (known != order.services.end()) continue;
    const auto told = hosted.program ? std::nullopt : handler_in_force(hosted);
    order.services.push_back({.service = hosted.name,
                              .board = hosted.board.id(),
                              .has_board = hosted.board.fd() >= 0,
                              .handler = told ? told->handler : std::string(),
                              .settings = told ? told->settings : HandlerSettings{},
                              .program = hosted.program,
                              .limits = *hosted.limits});
  }
  return order;
}

std::string print_order(const Order& order) {
  std::string text;
  for (const auto& served : order.services) {
    const auto config = as_config(order.design, served);
    const bool has_handler = !served.handler.empty();
    text += fmt::format("service {} {} {} {} {}\n{}{}", served.service.size(), config.size(), served.board,
                        served.has_board ? 1 : 0, has_handler ? 1 : 0, served.service, config);
  }
  for (const auto& [service, transport] : order.listeners)
    text += fmt::format("listener {} {}\n", service, static_cast<int>(transport));
  return text;
}

namespace {

constexpr std::string_view unreadable = "an order that cannot be read";

Result<> read_listener(std::istream& lines, Order& order) {
  std::size_t service = 0;
  int transport = 0;
  if (!(lines >> service >> transport)) return error(std::string(unreadable));
  if (service >= order.services.size()) return error("a listener of no service");
  order.listeners.push_back({service, static_cast<Transport>(transport)});
  return {};
}

Result<> read_service(std::istream& lines, std::size_t most, Order& order) {
  Order::Served served;
  std::size_t name_size = 0, config_size = 0;
  bool has_handler = false;
  lines >> name_size >> config_size >> served.board >> served.has_board >> has_handler;
  if (!lines || lines.get() != '\n' || std::max(name_size, config_size) > most) return error(std::string(unreadable));
  std::string config(config_size, '\0');
  served.service.resize(name_size);
  lines.read(served.service.data(), static_cast<std::streamsize>(name_size));
  lines.read(config.data(), static_cast<std::streamsize>(config_size));
  auto table = lines ? parse_config(config, "order") : std::unexpected(std::vector<std::string>{"cut short"});
  if (!table) return error(fmt::format("{}: {}", unreadable, table.error().front()));
  auto& settings = table->services.at(0);
  order.design = settings.design;
  served.limits = settings.limits;
  if (has_handler) served.handler = settings.handler;
  served.settings = settings.settings;
  if (settings.has_program()) served.program = std::move(settings.program);
  order.services.push_back(std::move(served));
  return {};
}

}  // namespace

Result<Order> parse_order(std::string_view text) {
  Order order;
  std::istringstream lines{std::string(text)};
  for (std::string word; lines >> word;) {
    const auto read = word == "listener"  ? read_listener(lines, order)
                      : word == "service" ? read_service(lines, text.size(), order)
                                          : error(std::string(unreadable));
    if (!read) return std::unexpected(read.error());
  }
  if (order.listeners.empty()) return error("an order without listeners");
  return order;
}

}  // namespace superd::nursery
