#include <netinet/in.h>

#include <map>

#include "superd/lab/error_queue.h"
#include "superd/lab/trace_socket.h"
#include "superd/net/socket.h"

namespace superd {
namespace {

/// A connection that is begun for each probe. One that is refused has reached the target as well as one that is made,
/// which ends with a reset at once. Needs no privilege.
class TcpTrace final : public TraceSocket {
 public:
  explicit TcpTrace(const TraceTarget& target) : target_(target) {}

  int send(std::uint16_t number, int ttl) override {
    const bool is_v6 = target_.is_v6();
    Socket socket(::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.is_open()) return errno;
    const int set = is_v6 ? ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof ttl)
                          : ::setsockopt(socket.fd(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    if (set != 0 || !keep_errors(socket.fd(), is_v6)) return errno;
    const auto to = probe_address(target_.address, target_.scope, target_.port);
    if (::connect(socket.fd(), &to.any, to.size()) != 0 && errno != EINPROGRESS && errno != ECONNREFUSED) return errno;
    begun_.insert_or_assign(number, std::move(socket));
    return 0;
  }

  void receive(const std::function<void(const TraceArrival&)>& take) override {
    std::vector<pollfd> waiting;
    add_descriptors(waiting);
    if (::poll(waiting.data(), waiting.size(), 0) <= 0) return;
    const auto now = Clock::now();
    auto at = waiting.begin();
    for (auto entry = begun_.begin(); entry != begun_.end(); ++at) {
      const auto here = entry++;
      if (at->revents == 0) continue;
      take(outcome_of(here->first, here->second.fd(), now));
      here->second.close_with_reset();
      begun_.erase(here);
    }
  }

  void add_descriptors(std::vector<pollfd>& descriptors) const override {
    for (const auto& [number, socket] : begun_) descriptors.push_back({socket.fd(), POLLOUT, 0});
  }
  void forget(std::uint16_t number) override { begun_.erase(number); }
  [[nodiscard]] const char* how() const noexcept override { return "TCP"; }

 private:
  [[nodiscard]] TraceArrival outcome_of(std::uint16_t number, int socket, Time now) const {
    TraceArrival arrival{.number = number, .from = target_.address, .is_answer = true, .received = now};
    std::byte room[64];
    if (const auto note = next_error(socket, room)) {
      arrival.from = note->from;
      arrival.is_answer = false;
      arrival.type = note->type;
      arrival.code = note->code;
      if (note->is_local) arrival.local_error = note->code_of_host;
      return arrival;
    }
    int code = 0;
    socklen_t size = sizeof code;
    (void)::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code == 0 || code == ECONNREFUSED) return arrival;
    arrival.is_answer = false;
    arrival.local_error = code;
    return arrival;
  }

  TraceTarget target_;
  std::map<std::uint16_t, Socket> begun_;
};

}  // namespace

Result<std::unique_ptr<TraceSocket>> open_tcp_trace(const TraceTarget& target) {
  return std::make_unique<TcpTrace>(target);
}

}  // namespace superd
