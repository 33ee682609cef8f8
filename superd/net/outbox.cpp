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
  static_assert(CMSG_LEN(sizeof(T)) <= Outbox::control_room);
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

}  // namespace

Outbox::Outbox(int fd) : fd_(fd), headers_(capacity), entries_(capacity) {
  for (std::size_t i = 0; i < capacity; ++i) {
    auto& header = headers_[i].msg_hdr;
    header.msg_name = &entries_[i].to;
    header.msg_iov = &entries_[i].part;
    header.msg_iovlen = 1;
  }
}

void Outbox::add(DatagramSlot& slot, std::span<const std::byte> bytes) {
  if (count_ == capacity) send_queued();
  auto& entry = entries_[count_];
  if (holds(slot, bytes)) {
    entry.part = {.iov_base = slot.bytes.data() + (bytes.data() - slot.bytes.data()), .iov_len = bytes.size()};
  } else {
    entry.copy.assign(bytes.begin(), bytes.end());
    entry.part = {.iov_base = entry.copy.data(), .iov_len = bytes.size()};
  }

  auto& header = headers_[count_].msg_hdr;
  header.msg_namelen = std::min<socklen_t>(slot.from.size(), sizeof entry.to);
  std::memcpy(&entry.to, slot.from.address(), header.msg_namelen);
  // What was sent to a group has no address of ours in it.
  const bool is_ours = !slot.to.is_multicast() && !slot.to.is_limited_broadcast();
  header.msg_controllen = is_ours ? put_source(entry.control, slot.to) : 0;
  header.msg_control = header.msg_controllen > 0 ? entry.control.data() : nullptr;
  ++count_;
}

Outbox::Sent Outbox::flush() noexcept {
  send_queued();
  return std::exchange(sent_, {});
}

void Outbox::send_queued() noexcept {
  std::size_t done = 0;
  while (done < count_) {
    const int sent =
        ::sendmmsg(fd_, &headers_[done], static_cast<unsigned>(count_ - done), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      // The first one's fault, or nobody's (EAGAIN): either way the rest gets its own try.
      ++sent_.dropped;
      ++done;
      continue;
    }
    for (int i = 0; i < sent; ++i) sent_.bytes += headers_[done++].msg_len;
    sent_.datagrams += static_cast<std::uint64_t>(sent);
  }
  count_ = 0;
}

}  // namespace superd
