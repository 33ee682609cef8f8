#include "superd/serve/exchange.h"

#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace superd {

namespace {

// What the kernel has noted of our sends: read until it is empty, but not for ever.
constexpr int most_notes = 32;

Endpoint local_of(const Datagram& request) noexcept {
  Endpoint local = request.to().unmapped();
  // What was sent to a group or to everybody has no address of ours in it.
  if (local.is_multicast() || local.is_limited_broadcast()) local = Endpoint::any_v4(0);
  local.set_port(0);
  return local;
}

// On a socket of both families everything is mapped, and one of IPv4 is cheaper.
Socket bound_socket(const Endpoint& local) noexcept {
  Socket socket(::socket(local.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return socket;
  const int on = 1;
  // So that a peer that has ended is noticed on a socket that is not connected; one that is would not hear strangers.
  (void)(local.is_v4() ? setsockopt(socket.fd(), SOL_IP, IP_RECVERR, &on, sizeof on)
                       : setsockopt(socket.fd(), SOL_IPV6, IPV6_RECVERR, &on, sizeof on));
  if (bind(socket.fd(), local.address(), local.size()) != 0) return {};
  return socket;
}

void put_segment_size(msghdr& header, std::span<std::byte> room, std::uint16_t size) noexcept {
  header.msg_control = room.data();
  header.msg_controllen = CMSG_SPACE(sizeof size);
  auto* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_UDP;
  control->cmsg_type = UDP_SEGMENT;
  control->cmsg_len = CMSG_LEN(sizeof size);
  std::memcpy(CMSG_DATA(control), &size, sizeof size);
}

iovec part_of(std::span<const std::byte> bytes) noexcept {
  return {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
}

std::size_t size_of(const Exchange::Parts& datagram) noexcept { return datagram.head.size() + datagram.body.size(); }

// Of a send of segments: this link, or this kernel, cannot; one by one it goes.
bool is_about_segments(int code) noexcept {
  return code == EINVAL || code == EMSGSIZE || code == EIO || code == EOPNOTSUPP || code == ENOPROTOOPT;
}

}  // namespace

std::expected<void, int> Exchange::open() {
  peer_ = request_.from().unmapped();
  Socket socket = bound_socket(local_of(request_));
  if (!socket.is_open()) return std::unexpected(errno);
  fd_ = socket.fd();
  over_ = now() + request_.hosted().limits->total;
  request_.take_socket(std::move(socket));
  return {};
}

Datagram::Readable Exchange::arrival(Time until) noexcept { return request_.readable(std::min(until, over_)); }

task<Exchange::Received> Exchange::receive(std::span<std::byte> room, Time until) {
  for (;;) {
    const auto outcome = co_await arrival(until);
    const auto received = take(outcome, room);
    if (received) co_return *received;
  }
}

std::optional<Exchange::Received> Exchange::take(Outcome outcome, std::span<std::byte> room) noexcept {
  auto& counters = request_.hosted().counters;
  if (outcome == Outcome::cancelled) return Received{Event::cut, {}};
  if (outcome == Outcome::failed) {
    counters.engine_full.add();
    return Received{Event::failed, {}};
  }
  const auto size = receive_from(room);
  if (request_.is_cut_off()) return Received{Event::cut, {}};
  if (size) {
    counters.received.add();
    counters.bytes_in.add(*size);
    const std::span<const std::byte> bytes = room.first(std::min(*size, room.size()));
    return Received{stranger_ == peer_ ? Event::datagram : Event::stranger, bytes};
  }
  if (size.error() != EAGAIN && size.error() != EINTR && peer_is_gone()) return Received{Event::gone, {}};
  if (outcome != Outcome::timed_out) return std::nullopt;
  return Received{request_.now() >= over_ ? Event::too_long : Event::too_late, {}};
}

std::expected<std::size_t, int> Exchange::receive_from(std::span<std::byte> room) noexcept {
  socklen_t size = Endpoint::capacity;
  const auto got = recvfrom(fd_, room.data(), room.size(), MSG_DONTWAIT | MSG_TRUNC, stranger_.address(), &size);
  if (got < 0) return std::unexpected(errno);
  stranger_.set_size(size);
  return static_cast<std::size_t>(got);
}

// Empties the queue of errors, which keeps the socket ready until then.
bool Exchange::peer_is_gone() noexcept {
  bool is_gone = false;
  for (int notes = 0; notes < most_notes; ++notes) {
    alignas(cmsghdr) std::array<std::byte, 256> control;
    Endpoint sent_to;
    msghdr note{};
    note.msg_name = sent_to.address();
    note.msg_namelen = Endpoint::capacity;
    note.msg_control = control.data();
    note.msg_controllen = control.size();
    if (recvmsg(fd_, &note, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    sent_to.set_size(note.msg_namelen);
    for (auto* part = CMSG_FIRSTHDR(&note); part; part = CMSG_NXTHDR(&note, part)) {
      const bool is_error = (part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVERR) ||
                            (part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_RECVERR);
      sock_extended_err error{};
      if (is_error) std::memcpy(&error, CMSG_DATA(part), sizeof error);
      if (error.ee_errno == ECONNREFUSED && sent_to == peer_) is_gone = true;
    }
  }
  return is_gone;
}

bool Exchange::send(std::span<const std::byte> bytes) noexcept {
  const Parts datagram{bytes, {}};
  return send({&datagram, 1}) == 1;
}

std::size_t Exchange::send(std::span<const Parts> datagrams) noexcept {
  if (datagrams.empty()) return 0;
  datagrams = datagrams.first(std::min(datagrams.size(), most_at_once));
  const auto size = size_of(datagrams.front());
  if (datagrams.size() > 1 && may_segment_ && size > 0)
    if (const auto sent = send_segments(datagrams, size)) return sent;
  return send_each(datagrams);
}

std::size_t Exchange::send_segments(std::span<const Parts> datagrams, std::size_t size) noexcept {
  std::array<iovec, 2 * most_at_once> parts;
  std::size_t count = 0;
  for (const auto& datagram : datagrams) {
    parts[count++] = part_of(datagram.head);
    parts[count++] = part_of(datagram.body);
  }
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> control{};
  msghdr header{.msg_name = peer_.address(), .msg_namelen = peer_.size(), .msg_iov = parts.data(), .msg_iovlen = count};
  put_segment_size(header, control, static_cast<std::uint16_t>(size));
  for (;;) {
    const auto sent = sendmsg(fd_, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      count_sent(datagrams.size(), static_cast<std::size_t>(sent));
      return datagrams.size();
    }
    if (errno == EINTR) continue;
    if (is_about_segments(errno)) may_segment_ = false;
    return 0;
  }
}

ssize_t Exchange::send_one(const Parts& datagram) noexcept {
  constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
  const auto& [head, body] = datagram;
  if (body.empty()) return sendto(fd_, head.data(), head.size(), flags, peer_.address(), peer_.size());
  std::array<iovec, 2> parts{part_of(head), part_of(body)};
  const msghdr header{
      .msg_name = peer_.address(), .msg_namelen = peer_.size(), .msg_iov = parts.data(), .msg_iovlen = parts.size()};
  return sendmsg(fd_, &header, flags);
}

std::size_t Exchange::send_each(std::span<const Parts> datagrams) noexcept {
  std::size_t bytes = 0, count = 0;
  for (int failures = 0; count < datagrams.size();) {
    const auto sent = send_one(datagrams[count]);
    if (sent >= 0) {
      bytes += static_cast<std::size_t>(sent);
      ++count;
      continue;
    }
    // A note that an earlier one was refused is told here first, and only once.
    const bool is_note = errno == EINTR || (errno == ECONNREFUSED && ++failures == 1);
    if (is_note) continue;
    if (errno != EAGAIN && errno != ENOBUFS) {
      // Not for want of room: waiting would not help, and who misses it asks again.
      request_.hosted().counters.failed_answer.add(datagrams.size() - count);
      count_sent(count, bytes);
      return datagrams.size();
    }
    break;
  }
  count_sent(count, bytes);
  return count;
}

void Exchange::send_to_stranger(std::span<const std::byte> bytes) noexcept {
  const auto sent =
      sendto(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, stranger_.address(), stranger_.size());
  if (sent < 0)
    request_.hosted().counters.failed_answer.add();
  else
    count_sent(1, static_cast<std::size_t>(sent));
}

void Exchange::count_sent(std::size_t datagrams, std::size_t bytes) noexcept {
  auto& counters = request_.hosted().counters;
  counters.answered.add(datagrams);
  counters.bytes_out.add(bytes);
}

}  // namespace superd
