#include "superd/super/rebind.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "superd/config/plan.h"
#include "superd/net/socket_options.h"

namespace superd {

namespace {

/// The held sockets, each to be used once.
class Held {
 public:
  Held(std::span<const HeldSocket> sockets, std::uint16_t port_base) {
    for (const auto& socket : sockets) by_place_.emplace(place_of(socket.address, port_base), &socket);
  }

  const HeldSocket* take_of(const std::string& service, const ListenAddress& address, std::uint16_t port_base) {
    return take(address, port_base, [&](const HeldSocket& held) { return held.service == service; });
  }
  const HeldSocket* take_of_others(const std::string& service, const ListenAddress& address, std::uint16_t port_base) {
    if (!goes_over(address)) return nullptr;
    return take(address, port_base, [&](const HeldSocket& held) { return held.service != service; });
  }
  /// Those that nobody has taken go.
  template <class Do>
  void each_left(Do act) const {
    for (const auto& [place, socket] : by_place_) act(*socket);
  }

 private:
  template <class Fits>
  const HeldSocket* take(const ListenAddress& address, std::uint16_t port_base, Fits fits) {
    const auto [first, last] = by_place_.equal_range(place_of(address, port_base));
    for (auto candidate = first; candidate != last; ++candidate) {
      if (!fits(*candidate->second)) continue;
      const auto* found = candidate->second;
      by_place_.erase(candidate);
      return found;
    }
    return nullptr;
  }

  std::multimap<std::string, const HeldSocket*> by_place_;
};

struct Wanted {
  const ServiceSettings* service;
  const ListenAddress* address;
};

bool may_come(const Error& failure) noexcept { return failure.code == EADDRNOTAVAIL || failure.code == ENODEV; }

class Rebinding {
 public:
  Rebinding(const ServiceTable& now, const ServiceTable& wanted, std::span<const HeldSocket> held)
      : now_(now),
        wanted_(wanted),
        base_(now.port_base),
        held_(held, now.port_base),
        patience_(now.services.empty() ? Millis{0} : Millis{200}) {}

  std::expected<BoundListeners, std::vector<std::string>> run() {
    auto missing = keep_own();
    std::erase_if(missing, [this](const Wanted& wanted) { return take_over(wanted); });
    for (const auto& wanted : missing) bind(wanted);
    if (!errors_.empty()) return std::unexpected(std::move(errors_));
    return std::move(result_);
  }

 private:
  // What is left of the wanted table when each service has taken what it has.
  std::vector<Wanted> keep_own() {
    std::vector<Wanted> missing;
    for (const auto& service : wanted_.services)
      for (const auto& address : service.listen)
        if (!held_.take_of(service.name, address, wanted_.port_base)) missing.push_back({&service, &address});
    return missing;
  }

  bool take_over(const Wanted& wanted) {
    const auto* held = held_.take_of_others(wanted.service->name, *wanted.address, wanted_.port_base);
    if (!held) return false;
    Socket same(::fcntl(held->fd, F_DUPFD_CLOEXEC, 0));
    // Of who had it before, nothing else is in the way of who has it now.
    if (same.is_open() && !is_stream(wanted.address->transport))
      if (auto changed = change_groups_of(same, held->service, wanted); !changed) complain(wanted, changed.error());
    if (same.is_open())
      result_.bound.push_back({wanted.service->name, *wanted.address, std::move(same)});
    else
      complain(wanted, system_error("take over " + wanted.address->text).error());
    return true;
  }

  Result<> change_groups_of(const Socket& socket, const std::string& before, const Wanted& wanted) const {
    const auto was = std::ranges::find(now_.services, before, &ServiceSettings::name);
    const auto local = local_endpoint(socket);
    if (!local) return std::unexpected(local.error());
    return change_groups(socket.fd(), *local, wanted.address->interface,
                         was == now_.services.end() ? GroupOptions{} : was->options.multicast,
                         wanted.service->options.multicast, wanted.address->text);
  }

  void bind(const Wanted& wanted) {
    const auto& [service, address] = wanted;
    auto options = service->options;
    options.port_base = wanted_.port_base;
    auto socket = passive(*address, options);
    if (!socket && socket.error().code == EADDRINUSE)
      if (auto beside = bind_beside_left(*address, options)) socket = std::move(*beside);
    while (!socket && socket.error().code == EADDRINUSE && patience_ > Millis{0}) {
      std::this_thread::sleep_for(pause);
      patience_ -= pause;
      socket = passive(*address, options);
    }
    if (socket)
      result_.bound.push_back({service->name, *address, std::move(*socket)});
    else if (options.when_absent == WhenAbsent::retry && may_come(socket.error()))
      result_.absent.push_back({service->name, *address, options, socket.error().what});
    else
      complain(wanted, socket.error());
  }

  // A wildcard and an address of the same port exclude each other, unless both sockets say otherwise: for the moment in
  // which the one takes the other's place, they do. None: nothing of ours is in the way.
  std::optional<Socket> bind_beside_left(const ListenAddress& address, const ListenOptions& options) {
    if (address.endpoint.is_unix()) return std::nullopt;
    std::vector<int> in_the_way;
    held_.each_left([&](const HeldSocket& left) {
      const bool is_port = left.address.transport == address.transport && !left.address.endpoint.is_unix() &&
                           left.address.endpoint.port() + base_ == address.endpoint.port() + wanted_.port_base;
      if (is_port) in_the_way.push_back(left.fd);
    });
    for (const int fd : in_the_way) share_port(fd, true);
    auto socket = in_the_way.empty() ? std::unexpected(Error{}) : passive_beside(address, options);
    for (const int fd : in_the_way) share_port(fd, false);
    return socket ? std::optional(std::move(*socket)) : std::nullopt;
  }

  void complain(const Wanted& wanted, const Error& failure) {
    errors_.push_back("service " + wanted.service->name + ": " + failure.what);
  }

  const ServiceTable& now_;
  const ServiceTable& wanted_;
  const std::uint16_t base_;
  Held held_;
  BoundListeners result_;
  std::vector<std::string> errors_;
  // For all of them together: a listener that a change before this one has removed may be about to close.
  static constexpr Millis pause{10};
  Millis patience_;
};

}  // namespace

std::expected<BoundListeners, std::vector<std::string>> rebind(const ServiceTable& now, const ServiceTable& wanted,
                                                               std::span<const HeldSocket> held) {
  return Rebinding(now, wanted, held).run();
}

std::vector<std::string> change_options_of_held(const ServiceTable& now, const ServiceTable& wanted,
                                                std::span<const HeldSocket> held) {
  std::map<std::string_view, const ListenOptions*> before;
  for (const auto& service : now.services) before.emplace(service.name, &service.options);
  Held sockets(held, now.port_base);
  std::vector<std::string> complaints;
  for (const auto& service : wanted.services) {
    const auto was = before.find(service.name);
    if (was == before.end() || *was->second == service.options) continue;
    for (const auto& address : service.listen) {
      const auto* socket = sockets.take_of(service.name, address, wanted.port_base);
      if (!socket) continue;
      const auto changed = change_options(socket->fd, address, *was->second, service.options);
      if (!changed) complaints.push_back("service " + service.name + ": " + changed.error().what);
    }
  }
  return complaints;
}

}  // namespace superd
