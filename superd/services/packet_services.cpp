#include "superd/services/packet_services.h"

#include "superd/base/log.h"

namespace superd {

void count_fault(PacketFault fault, Counters& counters) noexcept {
  (fault == PacketFault::checksum ? counters.dropped_checksum : counters.dropped_malformed).add();
}

std::optional<IcmpView> read_icmp(const Packet& packet, Counters& counters) noexcept {
  const auto message = packet.source.is_v6() ? IcmpView::parse_verified(IcmpVersion::v6, packet.payload)
                                             : IcmpView::parse_v4(packet.payload);
  if (message) return *message;
  count_fault(message.error(), counters);
  return std::nullopt;
}

bool may_log_packet(Datagram& request) noexcept {
  if (!log_enabled(Severity::info)) return false;
  auto& hosted = request.hosted();
  return hosted.board.log().may_log_packet(hosted.name, hosted.counters.unlogged, request.now());
}

}  // namespace superd
