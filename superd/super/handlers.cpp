#include "superd/super/handlers.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "superd/config/config.h"
#include "superd/config/keys.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// The handler's name, and what it is told that is not as a handler has it anyway: equal texts, equal handlers.
std::string text_of_handler(const ServiceSettings& service) {
  auto untold = service;
  untold.settings = {};
  std::string text = service.handler;
  for (const auto& key : keys())
    if (auto value = key.write({}, service); value != key.write({}, untold))
      text.append("\n").append(key.name).append("=").append(value);
  return text;
}

}  // namespace

Result<> put_handler_in_force(HostedService& hosted, const ServiceSettings& wanted) {
  const auto text = text_of_handler(wanted);
  if (hosted.service.change_back(text)) return {};
  auto made = find_service(wanted.handler)->make(wanted.settings);
  if (!made) return error("service " + hosted.name + ": " + made.error().what);
  hosted.service.change(text, std::move(*made));
  return {};
}

// The text's lines are those of a configuration.
std::optional<ServiceSettings> handler_in_force(const HostedService& hosted) {
  const auto& text = hosted.service.name();
  if (text.empty()) return std::nullopt;
  const auto end = std::min(text.find('\n'), text.size());
  const auto* entry = find_service(std::string_view(text).substr(0, end));
  if (!entry) return std::nullopt;
  const auto table = parse_config(fmt::format("[service.it]\nhandler = \"{}\"\nlisten = \"{}\"{}\n", entry->name,
                                              some_listener(*entry), text.substr(end)),
                                  "handler");
  if (!table) broken("what a handler is told cannot be read again");
  return table->services.front();
}

}  // namespace superd
