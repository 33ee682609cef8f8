#include "superd/lab/echo_socket.h"
#include "superd/lab/trace_socket.h"

namespace superd {
namespace {

/// Echo requests with the number of the probe as their sequence.
class IcmpTrace final : public TraceSocket {
 public:
  IcmpTrace(const TraceTarget& target, EchoSocket socket) : target_(target), socket_(std::move(socket)) {}

  int send(std::uint16_t number, int ttl) override {
    (void)socket_.next_body(probe_address(target_.address, target_.scope));
    socket_.seal(number, ttl);
    int code = 0;
    socket_.flush([&](std::size_t, int why) { code = why; });
    return code;
  }

  void receive(const std::function<void(const TraceArrival&)>& take) override {
    socket_.expect_failures();
    while (socket_.receive([&](const EchoArrival& arrival) { take_one(arrival, take); }) > 0) {
    }
  }

  void add_descriptors(std::vector<pollfd>& descriptors) const override {
    descriptors.push_back({socket_.fd(), POLLIN, 0});
  }

  [[nodiscard]] const char* how() const noexcept override {
    return socket_.is_raw() ? "ICMP over a raw socket" : "ICMP over a ping socket";
  }

 private:
  void take_one(const EchoArrival& arrival, const std::function<void(const TraceArrival&)>& take) const {
    const bool is_answer = arrival.kind == EchoArrival::Kind::reply;
    if (arrival.kind == EchoArrival::Kind::damaged) return;
    if ((is_answer ? arrival.from : arrival.target) != target_.address) return;
    take({.number = arrival.sequence,
          .from = arrival.from,
          .is_answer = is_answer,
          .type = arrival.type,
          .code = arrival.code,
          .local_error = arrival.local_error,
          .received = arrival.received});
  }

  TraceTarget target_;
  EchoSocket socket_;
};

}  // namespace

Result<std::unique_ptr<TraceSocket>> open_icmp_trace(const TraceTarget& target) {
  const auto version = target.is_v6() ? IcmpVersion::v6 : IcmpVersion::v4;
  // 32 bytes: routers that quote more than eight of them show the same for each.
  auto socket = EchoSocket::open(version, {.size = 32, .is_precise = true});
  if (!socket) return std::unexpected(socket.error());
  return std::make_unique<IcmpTrace>(target, std::move(*socket));
}

Result<std::unique_ptr<TraceSocket>> TraceSocket::open(const TraceTarget& target) {
  switch (target.protocol) {
    case TraceProtocol::icmp: return open_icmp_trace(target);
    case TraceProtocol::udp: return open_udp_trace(target);
    case TraceProtocol::tcp: break;
  }
  return open_tcp_trace(target);
}

}  // namespace superd
