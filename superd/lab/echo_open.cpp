#include <algorithm>
#include <cstdlib>
#include <random>

#include "superd/lab/echo_filter.h"
#include "superd/lab/echo_socket.h"
#include "superd/lab/error_queue.h"

namespace superd {
namespace {

/// Room for more than a window has under way. A user without CAP_NET_ADMIN gets less, and a smaller window by it.
constexpr int receive_buffer = 8 << 20;
/// A small packet costs the kernel two kilobytes at most, whatever it carries.
constexpr std::size_t kernel_packet = 2048;

constexpr int family_of(IcmpVersion version) noexcept { return version == IcmpVersion::v6 ? AF_INET6 : AF_INET; }
constexpr int protocol_of(IcmpVersion version) noexcept {
  return version == IcmpVersion::v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP};
}

Socket open_socket(IcmpVersion version, int type) {
  return Socket(::socket(family_of(version), type | SOCK_CLOEXEC, protocol_of(version)));
}

Result<> set(int socket, int level, int option, int value, const char* what) {
  if (::setsockopt(socket, level, option, &value, sizeof value) == 0) return {};
  return system_error(what);
}

Result<> refused(IcmpVersion version, int code) {
  if (code != EACCES && code != EPERM) return system_error("open a raw socket for echo requests", code);
  const std::string name = version == IcmpVersion::v6 ? "ICMPv6" : "ICMP";
  return std::unexpected(
      Error{"open a socket for " + name +
                " echo requests: neither a ping socket nor a raw one is permitted; the first needs one of "
                "this user's groups in the sysctl net.ipv4.ping_group_range, the second CAP_NET_RAW",
            code});
}

}  // namespace

Result<Socket> EchoSocket::open_any(IcmpVersion version, bool is_ping_only, bool& is_raw) {
  auto socket = open_socket(version, SOCK_DGRAM);
  is_raw = !socket.is_open() && !is_ping_only;
  if (is_raw) socket = open_socket(version, SOCK_RAW);
  if (!socket.is_open()) return std::unexpected(refused(version, errno).error());
  return socket;
}

Result<EchoSocket> EchoSocket::open(IcmpVersion version, const EchoOptions& options) {
  bool is_raw = false;
  auto socket = open_any(version, options.is_ping_only, is_raw);
  if (!socket) return std::unexpected(socket.error());
  EchoSocket made(std::move(*socket), version, is_raw, options);
  if (auto prepared = made.prepare(options); !prepared) return std::unexpected(prepared.error());
  return made;
}

EchoSocket::EchoSocket(Socket socket, IcmpVersion version, bool is_raw, const EchoOptions& options)
    : socket_(std::move(socket)),
      version_(version),
      is_raw_(is_raw),
      is_precise_(options.is_precise),
      request_size_(IcmpView::header_size + options.size) {
  lay_out(options);
}

Result<> EchoSocket::prepare(const EchoOptions& options) {
  const bool is_v6 = version_ == IcmpVersion::v6;
  if (is_raw_) {
    id_ = static_cast<std::uint16_t>(std::random_device{}());
    if (auto filtered = filter_echoes(fd(), version_, id_); !filtered) return filtered;
  } else if (!keep_errors(fd(), is_v6)) {
    return system_error("ask a ping socket for errors (IP_RECVERR)");
  }
  if (options.ttl > 0) {
    auto limited = is_v6 ? set(fd(), IPPROTO_IPV6, IPV6_UNICAST_HOPS, options.ttl, "set the hop limit")
                         : set(fd(), IPPROTO_IP, IP_TTL, options.ttl, "set the TTL");
    if (!limited) return limited;
  }
  if (options.is_precise) {
    // Without them times are a little longer, and a TTL is not told.
    (void)set(fd(), SOL_SOCKET, SO_TIMESTAMPNS, 1, "");
    (void)(is_v6 ? set(fd(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "") : set(fd(), IPPROTO_IP, IP_RECVTTL, 1, ""));
  }
  if (!set(fd(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer, ""))
    (void)set(fd(), SOL_SOCKET, SO_RCVBUF, receive_buffer, "");
  int room = 0;
  socklen_t size = sizeof room;
  (void)::getsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &room, &size);
  answers_that_fit_ = std::max<std::size_t>(1, static_cast<std::size_t>(room) / (kernel_packet + 2 * request_size_));
  return {};
}

void EchoSocket::lay_out(const EchoOptions& options) {
  // An answer with the longest IP header, or an error with as much of the request as routers quote (RFC 1812, 4.3.2.3).
  constexpr std::size_t longest_ip_header = 60, longest_error = 576, memory = 1 << 20;
  const auto answer_size = std::max(longest_ip_header + request_size_, longest_error);
  const auto count = std::clamp<std::size_t>(memory / answer_size, 1, most_in_batch);
  slots_.resize(count);
  out_.resize(count);
  in_.resize(count);
  requests_.resize(count * request_size_);
  answers_.resize(count * answer_size);
  for (std::size_t at = 0; at < requests_.size(); ++at) requests_[at] = static_cast<std::byte>(at % request_size_);
  for (std::size_t i = 0; i < count; ++i) {
    auto& slot = slots_[i];
    slot.out = {&requests_[i * request_size_], request_size_};
    slot.in = {&answers_[i * answer_size], answer_size};
    out_[i].msg_hdr = {.msg_name = &slot.to, .msg_iov = &slot.out, .msg_iovlen = 1};
    in_[i].msg_hdr = {.msg_name = &slot.from, .msg_iov = &slot.in, .msg_iovlen = 1};
    if (options.is_precise) in_[i].msg_hdr.msg_control = slot.in_control;
  }
}

}  // namespace superd
