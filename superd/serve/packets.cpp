#include "superd/serve/packets.h"

#include "superd/net/ip_header.h"

namespace superd {

namespace {

// Of each network namespace the first (include/net/flow.h).
constexpr std::uint32_t loopback_interface = 1;

bool is_of_one(const Endpoint& address) noexcept {
  return !address.is_multicast() && !address.is_limited_broadcast() && !address.is_wildcard();
}

bool is_same_address(Endpoint a, const Endpoint& b) noexcept {
  a.set_port(b.port());
  return a == b;
}

bool may_be_ours(const DatagramSlot& slot, const Endpoint& local) noexcept {
  return local.is_wildcard() ? slot.interface == loopback_interface : is_same_address(slot.from, local);
}

bool is_answerable(const DatagramSlot& slot, const Listener& listener) noexcept {
  if (slot.to_many || !is_of_one(slot.to) || !is_of_one(slot.from)) return false;
  const auto& service = listener.hosted->service;
  return (service && service->tells_answers_from_requests()) || !may_be_ours(slot, listener.local);
}

bool take_header_off(DatagramSlot& slot) noexcept {
  const auto view = Ipv4View::parse(std::span(slot.bytes).first(slot.size));
  if (!view) return false;
  slot.ttl = view->ttl();
  slot.to = view->destination();
  slot.header = static_cast<std::uint8_t>(view->header().size());
  slot.size = view->payload().size();
  return true;
}

}  // namespace

Listener::Packets Listener::packets_of(const Socket& socket) noexcept {
  int domain = 0, own_header = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(socket.fd(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_INET) return Packets::v6;
  size = sizeof own_header;
  (void)getsockopt(socket.fd(), SOL_IP, IP_HDRINCL, &own_header, &size);
  return own_header ? Packets::own_header : Packets::v4;
}

bool open_packet(DatagramSlot& slot, const Listener& listener) noexcept {
  if (listener.packets != Listener::Packets::v6 && !take_header_off(slot)) return false;
  slot.silent = !is_answerable(slot, listener);
  return true;
}

}  // namespace superd
