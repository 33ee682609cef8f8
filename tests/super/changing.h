#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "superd/super/rebind.h"
#include "tests/super/super_test.h"

namespace superd::test {

inline DesignSettings design(std::string name) { return {.design = std::move(name), .loops = 1, .workers = 3}; }

/// A host that serves a table which the test changes. It has no privileges to keep for that, so it binds by itself.
class Changing {
 public:
  explicit Changing(std::vector<ServiceSettings> services) : table{.services = std::move(services)}, bound_(table) {
    host.prepare_changes();
    const auto served = host.serve(table, std::move(bound_.listeners));
    if (!served) throw std::runtime_error(served.error().what);
  }

  /// Wants what the table says now.
  std::vector<std::string> change() {
    auto fresh = rebind(in_force_, table, host.sockets());
    if (!fresh) return fresh.error();
    auto complaints = host.change(table, std::move(fresh->bound));
    if (complaints.empty()) in_force_ = table;
    return complaints;
  }
  ServiceSettings& service(std::size_t number = 0) { return table.services.at(number); }
  HostedService& hosted(std::size_t number = 0) { return *host.hosted()[number]; }
  /// Of a listener of the first table.
  Socket client(std::size_t listener = 0) const { return bound_.client(listener); }
  /// Of a listener that there is now.
  Endpoint where(const std::string& name, std::size_t listener = 0) const {
    for (const auto& socket : host.sockets()) {
      if (socket.service != name || listener-- != 0) continue;
      Socket borrowed(socket.fd);
      const auto local = local_endpoint(borrowed).value();
      (void)borrowed.release();
      return local;
    }
    throw std::runtime_error("no such listener");
  }
  Socket client_of(const std::string& name, std::size_t listener = 0, int type = SOCK_STREAM) const {
    return connected_to(where(name, listener), type);
  }
  std::shared_ptr<HostedService> named(const std::string& name) const {
    for (const auto& hosted : host.hosted())
      if (hosted->name == name) return hosted;
    return nullptr;
  }

  ServiceTable table;
  Host host;

 private:
  ServiceTable in_force_ = table;
  Bound bound_;
};

inline testing::AssertionResult is_echoed(const Socket& client, std::string_view text) {
  if (!send_text(client, text)) return testing::AssertionFailure() << "cannot send";
  const auto answer = received_text(client);
  if (answer == text) return testing::AssertionSuccess();
  return testing::AssertionFailure() << answer.value_or("no answer");
}

inline const std::vector<std::string> no_complaints;

}  // namespace superd::test
