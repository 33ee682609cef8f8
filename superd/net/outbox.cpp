#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "superd/net/datagram_batch.h"

namespace superd {
namespace {

bool holds(const DatagramSlot& slot, std::span<const std::byte> bytes) noexcept {
  const std::less_equal<> before;
  return before(slot.bytes.data(), bytes.data()) &&
         before(bytes.data() + bytes.size(), slot.bytes.data() + slot.bytes.size());
}

/// Writes one control message and returns its length.
template <class T>
std::size_t put_control(std::span<std::byte> room, int level, int type, const T& content) noexcept {
  const cmsghdr header{.cmsg_len = CMSG_LEN(sizeof(T)), .cmsg_level = level, .cmsg_type = type};
  std::memcpy(room.data(), &header, sizeof header);
  std::memcpy(room.data() + CMSG_LEN(0), &content, sizeof content);
  // Not CMSG_SPACE: the kernel has room for just an in6_pktinfo on its stack and allocates for the padding's four bytes
  // more, which made an answer from a wildcard socket 7 % dearer.
  return CMSG_LEN(sizeof(T));
}

/// Names the address that an answer leaves from; returns the length of the control data, 0 where the kernel chooses.
/// No interface is named but for a link-local address: the answer goes where the routes say, which on a host with
/// several interfaces need not be where the request came in.
std::size_t put_source(std::span<std::byte> room, const Endpoint& source) noexcept {
  if (source.is_v4()) {
    sockaddr_in v4;
    std::memcpy(&v4, source.address(), sizeof v4);
    return put_control(room, SOL_IP, IP_PKTINFO,
                       in_pktinfo{.ipi_ifindex = 0, .ipi_spec_dst = v4.sin_addr, .ipi_addr = {}});
  }
  if (!source.is_v6()) return 0;
  sockaddr_in6 v6;
  std::memcpy(&v6, source.address(), sizeof v6);
  // Right for mapped addresses too: udp(7) over IPv4 takes them from an IPV6_PKTINFO on a socket of both families.
  return put_control(room, SOL_IPV6, IPV6_PKTINFO,
                     in6_pktinfo{.ipi6_addr = v6.sin6_addr, .ipi6_ifindex = source.scope()});
}

// Larger ones may exceed what a link carries in one packet, and then a send of segments is refused.
constexpr std::size_t largest_segment = 1200;
constexpr std::size_t largest_send = 60'000;

bool same_bytes(const void* a, const void* b, std::size_t size) noexcept { return std::memcmp(a, b, size) == 0; }

}  // namespace

Outbox::Outbox(int fd, std::size_t room, bool segments, bool names_source)
    : fd_(fd),
      segments_(segments),
      names_source_(names_source),
      parts_(room),
      copies_(room),
      letters_(room),
      headers_(room) {}

void Outbox::add(DatagramSlot& slot, std::span<const std::byte> bytes) {
  if (answers_ == parts_.size()) send_queued();
  if (holds(slot, bytes)) {
    parts_[answers_] = {.iov_base = slot.bytes.data() + (bytes.data() - slot.bytes.data()), .iov_len = bytes.size()};
  } else {
    auto& copy = copies_[answers_];
    copy.assign(bytes.begin(), bytes.end());
    parts_[answers_] = {.iov_base = copy.data(), .iov_len = bytes.size()};
  }

  Envelope& fresh = letters_[envelopes_];
  fresh.to_size = std::min<socklen_t>(slot.from.size(), sizeof fresh.to);
  fresh.segment = bytes.size();
  std::memcpy(&fresh.to, slot.from.address(), fresh.to_size);
  // What was sent to a group, or to all of a network, has no address of ours in it.
  const bool is_ours = names_source_ && !slot.to_many && !slot.to.is_multicast() && !slot.to.is_limited_broadcast();
  fresh.source_size = is_ours ? put_source(fresh.control, slot.to) : 0;

  if (envelopes_ > 0 && joins(letters_[envelopes_ - 1], headers_[envelopes_ - 1].msg_hdr, fresh))
    ++headers_[envelopes_ - 1].msg_hdr.msg_iovlen;
  else
    open_envelope(fresh);
  ++answers_;
}

bool Outbox::joins(const Envelope& last, const msghdr& header, const Envelope& fresh) const noexcept {
  return segments_ && fresh.segment == last.segment && fresh.segment > 0 && fresh.segment <= largest_segment &&
         (header.msg_iovlen + 1) * fresh.segment <= largest_send && fresh.to_size == last.to_size &&
         fresh.source_size == last.source_size && same_bytes(&fresh.to, &last.to, fresh.to_size) &&
         same_bytes(fresh.control.data(), last.control.data(), fresh.source_size);
}

void Outbox::open_envelope(const Envelope& fresh) {
  Envelope& letter = letters_[envelopes_];
  if (&letter != &fresh) letter = fresh;
  headers_[envelopes_].msg_hdr = {.msg_name = &letter.to,
                                  .msg_namelen = letter.to_size,
                                  .msg_iov = &parts_[answers_],
                                  .msg_iovlen = 1,
                                  .msg_control = letter.source_size > 0 ? letter.control.data() : nullptr,
                                  .msg_controllen = letter.source_size,
                                  .msg_flags = 0};
  ++envelopes_;
}

Outbox::Sent Outbox::flush() noexcept {
  send_queued();
  return std::exchange(sent_, {});
}

void Outbox::send_queued() noexcept {
  for (std::size_t i = 0; i < envelopes_; ++i) {
    auto& header = headers_[i].msg_hdr;
    if (header.msg_iovlen == 1) continue;
    auto& letter = letters_[i];
    const auto source_room = CMSG_ALIGN(letter.source_size);
    header.msg_control = letter.control.data();
    header.msg_controllen = source_room + put_control(std::span(letter.control).subspan(source_room), SOL_UDP,
                                                      UDP_SEGMENT, static_cast<std::uint16_t>(letter.segment));
  }
  std::size_t done = 0;
  while (done < envelopes_) {
    const int sent =
        ::sendmmsg(fd_, &headers_[done], static_cast<unsigned>(envelopes_ - done), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      // The first one's fault, or nobody's (EAGAIN): either way the rest gets its own try.
      send_apart(done++);
      continue;
    }
    for (int i = 0; i < sent; ++i) {
      sent_.datagrams += headers_[done].msg_hdr.msg_iovlen;
      sent_.bytes += headers_[done++].msg_len;
    }
  }
  answers_ = 0;
  envelopes_ = 0;
}

// A send that was refused: if it was of several answers, each gets its own try, because the refusal may be of the
// segments (a link with a smaller packet) and not of the answers.
void Outbox::send_apart(std::size_t refused) noexcept {
  const int code = errno;
  const auto& header = headers_[refused].msg_hdr;
  const auto& letter = letters_[refused];
  const bool has_wrong_source = code == EINVAL && letter.source_size > 0;
  if (header.msg_iovlen == 1 && !has_wrong_source) {
    ++sent_.dropped;
    return;
  }
  msghdr single = header;
  single.msg_iovlen = 1;
  for (auto& answer : std::span(header.msg_iov, header.msg_iovlen)) {
    single.msg_iov = &answer;
    single.msg_controllen = letter.source_size;
    if (letter.source_size == 0) single.msg_control = nullptr;
    auto sent = ::sendmsg(fd_, &single, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINVAL && letter.source_size > 0) {
      // It was sent to a broadcast address, which on a socket of both versions of IP looks like others.
      single.msg_controllen = 0;
      sent = ::sendmsg(fd_, &single, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (sent < 0) {
      ++sent_.dropped;
      continue;
    }
    ++sent_.datagrams;
    sent_.bytes += static_cast<std::uint64_t>(sent);
  }
}

}  // namespace superd
