#pragma once

#include <expected>
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

/// A socket that somebody has, and what it was bound for. Does not own it.
struct HeldSocket {
  std::string service;
  ListenAddress address;
  int fd;
};

/// A listener that could not be bound because its address is not there yet, though it may come (when_absent = "retry").
struct AbsentListener {
  std::string service;
  ListenAddress address;
  ListenOptions options;  ///< with port_base
  std::string why;
};

/// What was bound, and what was not and may be later: see AbsentListeners.
struct BoundListeners {
  std::vector<BoundListener> bound;
  std::vector<AbsentListener> absent;
};

/// Binds all listeners of a table; every one that fails is an error in the list, so that all are seen at once. Needs the
/// privileges that the ports need; nothing is served yet.
[[nodiscard]] std::expected<BoundListeners, std::vector<std::string>> bind_present(const ServiceTable&);

/// The same for who does not wait for addresses: one that is absent is an error, whatever the table says.
[[nodiscard]] std::expected<std::vector<BoundListener>, std::vector<std::string>> bind_all(const ServiceTable&);

}  // namespace superd
