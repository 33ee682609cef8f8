// Slides 106 and 107: a raw socket for ICMP. It shows each message of ICMP that this machine receives, whose checksum Linux
// leaves to the program, as type and sender; so it needs CAP_NET_RAW.
//
//   sudo icmp_raw_socket            and then:  ping -c1 127.0.0.1
//   unshare -rn sh -c 'ip link set lo up; icmp_raw_socket & sleep 1; ping -c1 127.0.0.1'     without root
//
// The chapter's line is socket(AF_INET, SOCK_RAW, IPPROTO_ICMP). It is in passive_raw(), with a filter that keeps out what
// comes before the socket is ready. "raw/127.0.0.1:icmp" has it bound; RawOptions::peer, connected (slide 109).

#include <cstdio>

#include "superd/net/icmp.h"
#include "superd/net/icmp_names.h"
#include "superd/super/program.h"

namespace {

class ShowIcmp final : public superd::Service {
  superd::task<> serve(superd::Datagram& request) override {
    const superd::Packet packet = request.packet();
    const auto message = superd::IcmpView::parse_v4(packet.payload);
    const auto what = message ? superd::icmp_name(superd::IcmpVersion::v4, message->type(), message->code())
                              : std::string(superd::text_of(message.error()));
    std::printf("%s -> %s, ttl %d, %zu bytes: %s\n", packet.source.address_text().c_str(),
                packet.destination.address_text().c_str(), packet.ttl, packet.payload.size(), what.c_str());
    std::fflush(stdout);
    co_return;
  }
};

}  // namespace

int main() {
  return superd::serve_until_signalled({
      {.name = "show-icmp",
       .handler = std::make_shared<ShowIcmp>(),
       .listen = {"raw/icmp"},
       .design = {.design = "iterative"}}
  });
}
