#pragma once

#include <memory>
#include <string>
#include <vector>

#include "superd/base/error.h"
#include "superd/config/service_table.h"
#include "superd/net/socket.h"

namespace superd {

/// A socket that was bound for a service, not yet served. What crosses from who binds to who serves.
struct BoundListener {
  std::string service;  ///< the name of its [service.NAME]
  ListenAddress address;
  Socket socket;
};

class InheritedSockets;

/// Binds all listeners of a table, or takes those that a service manager has bound; every one that fails is an error in the list, so that all are seen at once. Needs the
/// privileges that the ports need; nothing is served yet.
[[nodiscard]] std::expected<std::vector<BoundListener>, std::vector<std::string>> bind_all(
    const ServiceTable&, InheritedSockets* inherited = nullptr);

}  // namespace superd
