// Slides 108 and 109: a header of IP of one's own (IP_HDRINCL). It sends back what comes by protocol 253, which is for
// experiments (RFC 3692), in a packet that it writes from the first byte on: with a time to live of 7.
//
//   sudo ip_header_included         and then, as root in python3:
//   s = socket.socket(2, 3, 253); s.sendto(b"hello", ("127.0.0.2", 0)); s.recv(99); s.recv(99)
//   unshare -rn sh -c 'ip link set lo up; ip_header_included'                    without root
//
// Not all of the header is ours: Linux writes length and checksum whatever we say, and source and id where they are 0
// (raw(7)). And bind() stays valid, against slide 109: it tells which packets come, as here, and the source of those that
// leave without one. Bound so, it never hears its own answers, but those it were to send to itself.

#include <algorithm>
#include <vector>

#include "superd/net/ip_header.h"
#include "superd/super/program.h"

namespace {

class OwnHeader final : public superd::Service {
  superd::task<> serve(superd::Datagram& request) override {
    const superd::Packet asked = request.packet();
    std::vector<std::byte> answer(superd::Ipv4View::least_header + asked.payload.size());
    const superd::Ipv4Fields fields{
        .source = asked.destination, .destination = asked.source, .protocol = asked.protocol, .ttl = 7};
    const auto header = superd::write_ipv4_header(fields, asked.payload.size(), answer);
    std::ranges::copy(asked.payload, answer.begin() + static_cast<std::ptrdiff_t>(header.value()));
    request.reply_with_header(answer);
    co_return;
  }
};

}  // namespace

int main() {
  superd::ListenOptions options;
  options.raw.own_header = true;
  return superd::serve_until_signalled({
      {.name = "own-header",
       .handler = std::make_shared<OwnHeader>(),
       .listen = {"raw/127.0.0.2:253"},
       .design = {.design = "iterative"},
       .options = options}
  });
}
