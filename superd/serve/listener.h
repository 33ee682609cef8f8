#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "superd/net/endpoint.h"
#include "superd/net/listen_address.h"
#include "superd/net/socket.h"
#include "superd/serve/hosted_service.h"

namespace superd {

/// A door: one bound socket and the service behind it. Shared by the designs that take clients in through it; the
/// socket closes when the last of them lets go.
struct Listener {
  Socket socket;
  Transport transport;
  Endpoint local;
  std::shared_ptr<HostedService> hosted;

  /// The kernel tells its total of dropped datagrams per socket; what is new since the last time is added to the
  /// service's counter. Thread-safe.
  void note_kernel_drops(std::uint32_t total) noexcept {
    const auto before = drops_seen->exchange(total, std::memory_order_relaxed);
    const auto fresh = static_cast<std::int32_t>(total - before);
    if (fresh > 0) hosted->counters.kernel_drops.add(static_cast<std::uint64_t>(fresh));
  }
  std::atomic<std::uint32_t> own_drops_seen{0};
  /// In shared memory where several processes receive here, or each would count all of them.
  std::atomic<std::uint32_t>* drops_seen = &own_drops_seen;
};

}  // namespace superd
