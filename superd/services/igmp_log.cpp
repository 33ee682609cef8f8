#include "superd/base/log.h"
#include "superd/net/igmp.h"
#include "superd/services/packet_services.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// Which hosts of the network want which groups (IGMP, RFC 3376), as they report it to routers: each report counted, and
/// logged within log_rate. Answers nobody.
class IgmpLog final : public Service {
 public:
  bool recognises(const Endpoint&, std::span<const std::byte>) noexcept override { return true; }

  task<> serve(Datagram& request) override {
    const auto packet = request.packet();
    const auto message = IgmpView::parse(packet.payload);
    if (!message)
      count_fault(message.error(), request.hosted().counters);
    else if (message->is_query())
      note_query(request, packet, *message);
    else
      for (const auto record : message->records()) note(request, packet, record);
    co_return;
  }

 private:
  static void note(Datagram& request, const Packet& packet, const IgmpRecord& record) {
    auto& counters = request.hosted().counters;
    const bool joins = record.is_join();
    if (!joins && !record.is_leave()) return;
    (joins ? counters.group_joins : counters.group_leaves).add();
    log(request, packet, joins ? "group joined" : "group left", record.group, record.sources.size());
  }

  static void note_query(Datagram& request, const Packet& packet, const IgmpView& query) {
    request.hosted().counters.group_queries.add();
    log(request, packet, "group query", query.group(), query.sources().size());
  }

  static void log(Datagram& request, const Packet& packet, std::string_view what, const Endpoint& group,
                  std::size_t sources) {
    if (!may_log_packet(request)) return;
    log_event(Severity::info, what,
              {
                  {"service",   request.hosted().name       },
                  {"host",      packet.source.address_text()},
                  {"group",     group.address_text()        },
                  {"sources",   sources                     },
                  {"interface", packet.interface            }
    });
  }
};

}  // namespace

std::shared_ptr<Service> make_igmp_log() { return std::make_shared<IgmpLog>(); }

}  // namespace superd
