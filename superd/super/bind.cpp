#include "superd/super/bind.h"

#include "superd/super/service_manager.h"

namespace superd {

std::expected<std::vector<BoundListener>, std::vector<std::string>> bind_all(const ServiceTable& table,
                                                                             InheritedSockets* inherited) {
  std::vector<BoundListener> bound;
  std::vector<std::string> errors;
  for (const auto& service : table.services) {
    ListenOptions options = service.options;
    options.port_base = table.port_base;
    for (const auto& address : service.listen) {
      if (auto found = inherited ? inherited->find(address, table.port_base) : std::nullopt) {
        bound.push_back({service.name, address, std::move(*found)});
        continue;
      }
      auto socket = passive(address, options);
      if (socket)
        bound.push_back({service.name, address, std::move(*socket)});
      else
        errors.push_back("service " + service.name + ": " + socket.error().what);
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return bound;
}

}  // namespace superd
