#pragma once

#include "superd/super/host.h"
#include "tests/serve/serve_test.h"

namespace superd::test {

/// A service for a table: its name, its handler, its listeners.
inline ServiceSettings service(std::string name, std::string handler, const std::vector<std::string>& listen,
                               DesignSettings design = {}) {
  ServiceSettings settings;
  settings.name = std::move(name);
  settings.handler = std::move(handler);
  settings.design = std::move(design);
  for (const auto& text : listen) settings.listen.push_back(address(text));
  return settings;
}

/// Binds, and remembers where each listener is.
struct Bound {
  explicit Bound(const ServiceTable& table) {
    auto all = bind_all(table);
    if (!all) throw std::runtime_error(all.error().front());
    listeners = std::move(*all);
    for (const auto& listener : listeners) {
      where.push_back(local_endpoint(listener.socket).value());
      types.push_back(is_stream(listener.address.transport) ? SOCK_STREAM : SOCK_DGRAM);
    }
  }
  Socket client(std::size_t listener = 0) const { return connected_to(where.at(listener), types.at(listener)); }

  std::vector<BoundListener> listeners;
  std::vector<Endpoint> where;
  std::vector<int> types;
};

/// A host with one service of the test's own.
class OwnService {
 public:
  explicit OwnService(StreamScript stream, const DesignSettings& design = {}, const Limits& limits = {})
      : forks(find_design(design.design)->forks) {
    auto settings = service("own", "own", {"tcp/127.0.0.1:0"}, design);
    settings.limits = limits;
    Bound bound({.services = {settings}});
    where_ = bound.where.front();
    const auto served = host.serve(settings, std::make_shared<Scripted>(notes, stream), std::move(bound.listeners));
    if (!served) throw std::runtime_error(served.error().what);
  }
  Socket client() const { return connected_to(where_); }

  const bool forks;
  Notes notes;
  Host host;

 private:
  Endpoint where_;
};

}  // namespace superd::test
