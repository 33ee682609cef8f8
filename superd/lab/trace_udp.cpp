#include <netinet/in.h>

#include <cerrno>

#include "superd/lab/error_queue.h"
#include "superd/lab/trace_socket.h"
#include "superd/net/socket.h"

namespace superd {
namespace {

/// Datagrams to a port each: the number of the probe is what the port is further than the first. Needs no privilege:
/// the kernel keeps what routers say of them (ip(7), IP_RECVERR).
class UdpTrace final : public TraceSocket {
 public:
  UdpTrace(const TraceTarget& target, Socket socket) : target_(target), socket_(std::move(socket)) {}

  int send(std::uint16_t number, int ttl) override {
    std::byte body[32]{};
    alignas(cmsghdr) std::byte control[CMSG_SPACE(sizeof(int))]{};
    const auto port = static_cast<std::uint16_t>(target_.port + number);
    auto to = probe_address(target_.address, target_.scope, port);
    iovec part{body, sizeof body};
    msghdr header{.msg_name = &to, .msg_namelen = to.size(), .msg_iov = &part, .msg_iovlen = 1};
    set_hop_limit(header, control, target_.is_v6(), ttl);
    // An error of an earlier one is told instead, once for each; receive() reads them all.
    int code = 0;
    for (int tries = 0; tries < most_tries; ++tries) {
      if (::sendmsg(socket_.fd(), &header, MSG_DONTWAIT) >= 0) return 0;
      code = errno;
    }
    return code;
  }

  void receive(const std::function<void(const TraceArrival&)>& take) override {
    std::byte room[64];
    while (const auto note = next_error(socket_.fd(), room)) {
      if (bits_of(note->target) != target_.address) continue;
      take({.number = number_of(note->target),
            .from = note->from,
            .type = note->type,
            .code = note->code,
            .local_error = note->is_local ? note->code_of_host : 0,
            .received = note->received});
    }
    receive_answers(take);
  }

  void add_descriptors(std::vector<pollfd>& descriptors) const override {
    descriptors.push_back({socket_.fd(), POLLIN, 0});
  }
  [[nodiscard]] const char* how() const noexcept override { return "UDP"; }

 private:
  static constexpr int most_tries = 3;

  [[nodiscard]] std::uint16_t number_of(const ProbeAddress& address) const noexcept {
    const auto port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return static_cast<std::uint16_t>(port - target_.port);
  }

  /// Somebody listens at that port.
  void receive_answers(const std::function<void(const TraceArrival&)>& take) {
    for (;;) {
      std::byte body[1];
      ProbeAddress from{.v6 = {}};
      socklen_t size = sizeof from;
      if (::recvfrom(socket_.fd(), body, sizeof body, MSG_DONTWAIT, &from.any, &size) < 0) {
        if (errno == EAGAIN) return;
        continue;  // an error, which has been told already, and is gone now
      }
      if (bits_of(from) != target_.address) continue;
      take({.number = number_of(from), .from = bits_of(from), .is_answer = true, .received = Clock::now()});
    }
  }

  TraceTarget target_;
  Socket socket_;
};

}  // namespace

Result<std::unique_ptr<TraceSocket>> open_udp_trace(const TraceTarget& target) {
  Socket socket(::socket(target.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error("make a UDP socket");
  const int on = 1;
  // Without stamps times are a little longer.
  (void)::setsockopt(socket.fd(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (!keep_errors(socket.fd(), target.is_v6())) return system_error("ask a UDP socket for errors (IP_RECVERR)");
  return std::make_unique<UdpTrace>(target, std::move(socket));
}

}  // namespace superd
