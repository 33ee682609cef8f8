#include "superd/base/big_endian.h"
#include "superd/net/internet_checksum.h"
#include "superd/services/packet_services.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// An echo straight over IP, with a number for experiments (RFC 3692). What UDP would have given has to be brought along:
/// a checksum, and for want of ports a word that says which way a message goes, or two such servers would answer each
/// other for ever.
///
///     0        1        2        3
///     +--------+--------+--------+--------+
///     | kind   | 0      | checksum        |   kind: 1 a request, 2 its answer; the checksum is that of RFC 1071
///     +--------+--------+--------+--------+
///     | what comes back ...               |
class IpEcho final : public Service {
 public:
  task<> serve(Datagram& request) override {
    answer(request);
    co_return;
  }

  [[nodiscard]] bool tells_answers_from_requests() const noexcept override { return true; }

 private:
  static constexpr std::size_t header = 4;
  static constexpr std::uint16_t asks = 0x0100, answers = 0x0200;  // the first two bytes

  static void answer(Datagram& request) {
    auto& counters = request.hosted().counters;
    const auto message = request.in_place();
    if (message.size() < header) return count_fault(PacketFault::short_packet, counters);
    if (internet_checksum(message) != 0) return count_fault(PacketFault::checksum, counters);
    if (load16(message.data()) != asks) {
      if (load16(message.data()) != answers) count_fault(PacketFault::unknown_type, counters);
      return;
    }
    store16(answers, message.data());
    store16(changed_checksum(load16(&message[2]), asks, answers), &message[2]);
    request.reply(message);
  }
};

}  // namespace

std::shared_ptr<Service> make_ip_echo() { return std::make_shared<IpEcho>(); }

}  // namespace superd
