#include <algorithm>
#include <utility>
#include <vector>

#include "superd/net/icmp.h"
#include "superd/services/packet_services.h"
#include "superd/services/services.h"

namespace superd {

namespace {

/// Answers pings (RFC 792; RFC 4443, 4.2) for the addresses that it is told, so that the kernel need not: that is turned
/// off by the sysctls net.ipv4.icmp_echo_ignore_all and net.ipv6.icmp.echo_ignore_all, or everybody is answered twice.
class IcmpEcho final : public Service {
 public:
  explicit IcmpEcho(std::vector<Network> addresses) : addresses_(std::move(addresses)) {}

  task<> serve(Datagram& request) override {
    answer(request);
    co_return;
  }

  [[nodiscard]] bool tells_answers_from_requests() const noexcept override { return true; }

 private:
  void answer(Datagram& request) const {
    auto& counters = request.hosted().counters;
    const auto packet = request.packet();
    const auto message = read_icmp(packet, counters);
    if (!message || !message->is_echo_request()) return;
    counters.icmp_requests.add();
    if (!packet.may_be_answered || !is_ours(packet.destination)) {
      counters.dropped_address.add();
      return;
    }
    turn_into_echo_reply(message->version(), request.in_place());
    request.reply(request.in_place());
  }

  [[nodiscard]] bool is_ours(const Endpoint& address) const noexcept {
    return addresses_.empty() ||
           std::ranges::any_of(addresses_, [&](const Network& network) { return network.holds(address); });
  }

  const std::vector<Network> addresses_;
};

}  // namespace

std::shared_ptr<Service> make_icmp_echo(const std::vector<Network>& addresses) {
  return std::make_shared<IcmpEcho>(addresses);
}

}  // namespace superd
