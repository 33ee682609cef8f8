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
        packets(by == Transport::raw ? packets_of(socket) : Packets::none),
        drops_seen_(hosted->board.kernel_drops().of(socket.fd())) {}

  Socket socket;
  const Transport transport;
  const Endpoint local;
  const std::shared_ptr<HostedService> hosted;

  /// What a raw socket receives and sends; it stays so for the socket's life.
  enum class Packets : std::uint8_t {
    none,        ///< datagrams or connections: it is no raw one
    v6,          ///< what is behind the header
    v4,          ///< with the header; what is sent gets one from the kernel
    own_header,  ///< with the header both ways (IP_HDRINCL)
  };
  const Packets packets;
  [[nodiscard]] bool is_raw() const noexcept { return packets != Packets::none; }

  /// The kernel tells its total of dropped datagrams per socket; what is new since the last time is added to the
  /// service's counter. Thread-safe.
  void note_kernel_drops(std::uint32_t total) noexcept {
    const auto before = drops_seen_.exchange(total, std::memory_order_relaxed);
    const auto fresh = static_cast<std::int32_t>(total - before);
    if (fresh > 0) hosted->counters.kernel_drops.add(static_cast<std::uint64_t>(fresh));
  }

 private:
  static Packets packets_of(const Socket&) noexcept;

  KernelDrops::Seen& drops_seen_;
};

}  // namespace superd
