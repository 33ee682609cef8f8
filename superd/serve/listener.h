#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "superd/net/endpoint.h"
#include "superd/net/listen_address.h"
#include "superd/net/socket.h"
#include "superd/serve/hosted_service.h"

namespace superd {

/// A door: one bound socket and the service behind it. Shared by the designs that take clients in through it; the
/// socket closes when the last of them lets go.
class Listener {
 public:
  Listener(Socket bound, Transport by, const Endpoint& address, std::shared_ptr<HostedService> service) noexcept
      : socket(std::move(bound)),
        transport(by),
        local(address),
        hosted(std::move(service)),
        drops_seen_(hosted->board.kernel_drops().of(socket.fd())) {}

  Socket socket;
  const Transport transport;
  const Endpoint local;
  const std::shared_ptr<HostedService> hosted;

  /// The kernel tells its total of dropped datagrams per socket; what is new since the last time is added to the
  /// service's counter. Thread-safe.
  void note_kernel_drops(std::uint32_t total) noexcept {
    const auto before = drops_seen_.exchange(total, std::memory_order_relaxed);
    const auto fresh = static_cast<std::int32_t>(total - before);
    if (fresh > 0) hosted->counters.kernel_drops.add(static_cast<std::uint64_t>(fresh));
  }

 private:
  KernelDrops::Seen& drops_seen_;
};

}  // namespace superd
