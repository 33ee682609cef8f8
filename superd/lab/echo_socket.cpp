#include "superd/lab/echo_socket.h"

#include <linux/errqueue.h>
#include <poll.h>

#include <cstring>

#include "superd/net/ip_header.h"

namespace superd {
namespace {

template <class Value>
bool read_value(cmsghdr& item, Value& value) noexcept {
  if (item.cmsg_len < CMSG_LEN(sizeof value)) return false;
  std::memcpy(&value, CMSG_DATA(&item), sizeof value);
  return true;
}

/// How long ago the kernel received something, by the clock that it stamps with.
Clock::duration age_of(const timespec& received) noexcept {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto age = Seconds(now.tv_sec - received.tv_sec) + std::chrono::nanoseconds(now.tv_nsec - received.tv_nsec);
  // Somebody has set the clock in between: what was measured is the better guess.
  return age < Clock::duration{} || age > Seconds(1) ? Clock::duration{} : age;
}

bool is_hop_limit(const cmsghdr& item) noexcept {
  return (item.cmsg_level == IPPROTO_IP && item.cmsg_type == IP_TTL) ||
         (item.cmsg_level == IPPROTO_IPV6 && item.cmsg_type == IPV6_HOPLIMIT);
}

bool is_error_note(const cmsghdr& item) noexcept {
  return (item.cmsg_level == IPPROTO_IP && item.cmsg_type == IP_RECVERR) ||
         (item.cmsg_level == IPPROTO_IPV6 && item.cmsg_type == IPV6_RECVERR);
}

void wait_for_room(int socket) noexcept {
  pollfd room{socket, POLLOUT, 0};
  ::poll(&room, 1, 1);
}

}  // namespace

std::span<std::byte> EchoSocket::next_body(const ProbeAddress& to) noexcept {
  slots_[queued_].to = to;
  return std::span(requests_).subspan(queued_ * request_size_, request_size_).subspan(IcmpView::header_size);
}

void EchoSocket::seal(std::uint16_t sequence, int ttl) noexcept {
  const auto message = std::span(requests_).subspan(queued_ * request_size_, request_size_);
  const bool is_v6 = version_ == IcmpVersion::v6;
  const IcmpFields fields{
      .type = is_v6 ? icmp_v6::echo_request : icmp_v4::echo_request, .id = id_, .sequence = sequence};
  // The kernel reckons the checksum but on a raw IPv4 socket.
  if (is_raw_ && !is_v6)
    write_icmp_v4(fields, message);
  else
    write_icmp_unsummed(fields, message);

  auto& header = out_[queued_].msg_hdr;
  header.msg_namelen = slots_[queued_].to.size();
  header.msg_control = nullptr;
  header.msg_controllen = 0;
  if (ttl > 0) {
    header.msg_control = slots_[queued_].out_control;
    header.msg_controllen = sizeof slots_[queued_].out_control;
    auto* const item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    item->cmsg_type = is_v6 ? IPV6_HOPLIMIT : IP_TTL;
    item->cmsg_len = CMSG_LEN(sizeof ttl);
    std::memcpy(CMSG_DATA(item), &ttl, sizeof ttl);
  }
  ++queued_;
}

/// 0: all is sent from there on. Otherwise why the one at `done` is not.
int EchoSocket::send_from(std::size_t& done) noexcept {
  constexpr int most_waits = 1000;  // of a millisecond
  for (int failures = 0, waits = 0; done < queued_;) {
    const int sent = ::sendmmsg(fd(), &out_[done], static_cast<unsigned>(queued_ - done), MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
      failures = 0;
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      if (++waits > most_waits) return errno;
      wait_for_room(fd());
    } else if (errno != EINTR) {
      // It may have been about an earlier one; then this one goes the second time.
      expect_failures();
      if (++failures == 2) return errno;
    }
  }
  return 0;
}

std::size_t EchoSocket::fill_slots() noexcept {
  for (std::size_t i = 0; i < in_.size(); ++i) {
    in_[i].msg_hdr.msg_namelen = sizeof slots_[i].from;
    if (is_precise_) in_[i].msg_hdr.msg_controllen = sizeof slots_[i].in_control;
  }
  const int got = ::recvmmsg(fd(), in_.data(), static_cast<unsigned>(in_.size()), MSG_DONTWAIT, nullptr);
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno != EAGAIN && errno != EINTR) expect_failures();
  return 0;
}

/// One that is not for us has no time of arrival.
EchoArrival EchoSocket::read_slot(std::size_t slot, Time now) const noexcept {
  EchoArrival arrival{.from = bits_of(slots_[slot].from), .received = now};
  auto message = std::as_bytes(std::span(static_cast<std::byte*>(slots_[slot].in.iov_base), in_[slot].msg_len));
  if (is_raw_ && version_ == IcmpVersion::v4) {
    const auto packet = Ipv4View::parse(message);
    if (!packet) return arrival;
    arrival.ttl = packet->ttl();
    message = packet->payload();
  }
  const bool is_unverified = is_raw_ && version_ == IcmpVersion::v4;
  const auto view = is_unverified ? IcmpView::parse_v4(message) : IcmpView::parse_verified(version_, message);
  if (!view) return arrival;
  if (is_precise_) read_control(in_[slot].msg_hdr, arrival, now);
  if (view->is_error()) {
    read_error_of(*view, arrival);
  } else if (view->is_echo_reply()) {
    arrival.kind = EchoArrival::Kind::reply;
    arrival.sequence = view->sequence();
    arrival.body = view->body();
  } else {
    arrival.received = {};
  }
  return arrival;
}

void EchoSocket::read_error_of(const IcmpView& message, EchoArrival& arrival) const noexcept {
  const auto quoted = message.quoted();
  if (!quoted) return;
  if (!quoted->has_echo() || quoted->id() != id_) {
    arrival.received = {};
    return;
  }
  arrival.kind = EchoArrival::Kind::failure;
  arrival.target = AddressBits::of(quoted->destination);
  arrival.sequence = quoted->sequence();
  arrival.type = message.type();
  arrival.code = message.code();
  arrival.mtu = message.mtu();
}

void EchoSocket::read_control(const msghdr& header, EchoArrival& arrival, Time now) const noexcept {
  auto* const read = const_cast<msghdr*>(&header);  // CMSG_NXTHDR wants it so
  for (auto* item = CMSG_FIRSTHDR(read); item; item = CMSG_NXTHDR(read, item)) {
    timespec stamp;
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS && read_value(*item, stamp))
      arrival.received = now - age_of(stamp);
    if (is_hop_limit(*item)) read_value(*item, arrival.ttl);
  }
}

/// The next of what the kernel keeps in the error queue (ip(7), IP_RECVERR): the probe that failed, and who says so.
bool EchoSocket::next_failure(EchoArrival& arrival) noexcept {
  std::byte quoted[64];
  alignas(cmsghdr) std::byte control[512];
  ProbeAddress target{.v6 = {}};
  iovec part{quoted, sizeof quoted};
  msghdr header{.msg_name = &target,
                .msg_namelen = sizeof target,
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof control};
  const auto got = ::recvmsg(fd(), &header, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (got < 0) return false;
  const auto now = Clock::now();
  arrival = {.target = bits_of(target), .received = now};
  if (is_precise_) read_control(header, arrival, now);
  for (auto* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
    struct {
      sock_extended_err error;
      ProbeAddress offender;
    } note{};
    if (!is_error_note(*item) || item->cmsg_len < CMSG_LEN(sizeof note.error)) continue;
    std::memcpy(&note, CMSG_DATA(item), std::min(sizeof note, item->cmsg_len - CMSG_LEN(0)));
    arrival.kind = EchoArrival::Kind::failure;
    arrival.from = bits_of(note.offender);
    arrival.type = note.error.ee_type;
    arrival.code = note.error.ee_code;
    if (note.error.ee_origin == SO_EE_ORIGIN_LOCAL) arrival.local_error = static_cast<int>(note.error.ee_errno);
    if (note.error.ee_errno == EMSGSIZE) arrival.mtu = note.error.ee_info;
  }
  const auto message = std::span<const std::byte>(quoted).first(static_cast<std::size_t>(got));
  if (message.size() < IcmpView::header_size) arrival.kind = EchoArrival::Kind::damaged;
  if (message.size() >= IcmpView::header_size) arrival.sequence = load16(&message[6]);
  return true;
}

}  // namespace superd
