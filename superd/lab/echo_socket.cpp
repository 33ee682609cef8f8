#include "superd/lab/echo_socket.h"

#include <poll.h>

#include <algorithm>

#include "superd/lab/error_queue.h"
#include "superd/net/ip_header.h"

namespace superd {
namespace {

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
  if (ttl > 0) set_hop_limit(header, slots_[queued_].out_control, is_v6, ttl);
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
EchoArrival EchoSocket::read_slot(std::size_t slot, const TwoClocks& clocks) noexcept {
  EchoArrival arrival{.from = bits_of(slots_[slot].from), .received = clocks.now};
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
  if (is_precise_) {
    auto& header = in_[slot].msg_hdr;
    arrival.received = received_at(header, clocks);
    arrival.ttl = std::max(arrival.ttl, hop_limit_of(header));
  }
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

/// The next of what the kernel keeps in the error queue.
bool EchoSocket::next_failure(EchoArrival& arrival) noexcept {
  std::byte room[64];
  const auto note = next_error(fd(), room);
  if (!note) return false;
  arrival = {.from = note->from,
             .target = bits_of(note->target),
             .type = note->type,
             .code = note->code,
             .local_error = note->is_local ? note->code_of_host : 0,
             .mtu = note->mtu,
             .received = note->received};
  if (note->quoted.size() < IcmpView::header_size) return true;
  arrival.kind = EchoArrival::Kind::failure;
  arrival.sequence = load16(&note->quoted[6]);
  return true;
}

}  // namespace superd
