#include <string>
#include <vector>

#include "superd/base/log.h"
#include "superd/net/icmp.h"
#include "superd/net/icmp_names.h"
#include "superd/services/packet_services.h"
#include "superd/services/services.h"

namespace superd {

namespace {

Counter& counter_of(const IcmpView& message, Counters& counters) noexcept {
  if (message.is_echo_request()) return counters.icmp_requests;
  if (message.is_echo_reply()) return counters.icmp_replies;
  if (message.is_unreachable()) return counters.icmp_unreachable;
  return message.is_time_exceeded() ? counters.icmp_exceeded : counters.icmp_others;
}

/// "10.0.0.1 -> 10.0.0.2 protocol 17 port 33434", of the packet that an error is about.
std::string text_of(const QuotedPacket& quoted) {
  auto text = quoted.source.address_text() + " -> " + quoted.destination.address_text() + " protocol " +
              std::to_string(quoted.protocol);
  const bool has_port = quoted.has_ports() && (quoted.protocol == IPPROTO_TCP || quoted.protocol == IPPROTO_UDP);
  return has_port ? text + " port " + std::to_string(quoted.destination_port()) : text;
}

/// Who pings, traces, or reports that something cannot be reached: counted by types, with a line of the log for each
/// within log_rate. Answers nobody.
class IcmpLog final : public Service {
 public:
  bool recognises(const Endpoint&, std::span<const std::byte>) noexcept override { return true; }

  task<> serve(Datagram& request) override {
    note(request);
    co_return;
  }

 private:
  static void note(Datagram& request) {
    auto& counters = request.hosted().counters;
    const auto packet = request.packet();
    const auto message = read_icmp(packet, counters);
    if (!message) return;
    counter_of(*message, counters).add();
    // A probe that gets here with nothing left was sent to find out how far it is.
    const bool traces = message->is_echo_request() && packet.ttl <= 1;
    if (traces) counters.icmp_traces.add();
    if (may_log_packet(request)) log(request, packet, *message, traces);
  }

  static void log(Datagram& request, const Packet& packet, const IcmpView& message, bool traces) {
    // Fields refer to their texts.
    const auto from = packet.source.address_text(), to = packet.destination.address_text();
    const auto what = icmp_name(message.version(), message.type(), message.code());
    const auto quoted = message.is_error() ? message.quoted() : std::unexpected(PacketFault::quote);
    const auto about = quoted ? text_of(*quoted) : std::string();
    std::vector<LogField> fields{
        {"service",   request.hosted().name},
        {"from",      from                 },
        {"to",        to                   },
        {"what",      what                 },
        {"ttl",       packet.ttl           },
        {"interface", packet.interface     },
        {"bytes",     packet.payload.size()}
    };
    if (traces) fields.emplace_back("traces", "the way here");
    if (quoted) fields.emplace_back("about", about);
    log_event(Severity::info, "icmp", fields);
  }
};

}  // namespace

std::shared_ptr<Service> make_icmp_log() { return std::make_shared<IcmpLog>(); }

}  // namespace superd
