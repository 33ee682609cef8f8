#include "superd/net/datagram_batch.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace superd {
namespace {

// What recvmmsg(2) is called with. Kept by each thread from call to call, because for one waiting datagram to fill in
// 64 headers costs as much as half a system call. Everything in a header follows from its slot's address, so one that
// was set up for the slot still fits, even when the slot is a new one at an old place.
struct ReceiveHeaders {
  static constexpr std::size_t count = 64;

  std::array<mmsghdr, count> messages{};
  std::array<iovec, count> parts{};
  std::array<DatagramSlot*, count> slots{};

  void arm(std::size_t i) noexcept {
    auto& header = messages[i].msg_hdr;
    header.msg_namelen = Endpoint::capacity;
    header.msg_controllen = sizeof(DatagramSlot::control);
  }

  void set_up(std::size_t i, DatagramSlot* slot) noexcept {
    parts[i] = {.iov_base = slot->bytes.data(), .iov_len = slot->bytes.size()};
    auto& header = messages[i].msg_hdr;
    header.msg_name = slot->from.address();
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
    header.msg_control = slot->control.data();
    slots[i] = slot;
    arm(i);
  }
};

Endpoint endpoint_of(const in_pktinfo& info) noexcept {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr = info.ipi_addr;
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
}

Endpoint endpoint_of(const in6_pktinfo& info) noexcept {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = info.ipi6_addr;
  if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) v6.sin6_scope_id = info.ipi6_ifindex;
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

template <class T>
T content_of(const cmsghdr& control) noexcept {
  T content;
  std::memcpy(&content, CMSG_DATA(&control), sizeof content);
  return content;
}

void read_control(DatagramSlot& slot, const cmsghdr& control) noexcept {
  const auto is = [&](int level, int type) { return control.cmsg_level == level && control.cmsg_type == type; };
  if (is(SOL_IPV6, IPV6_PKTINFO)) {
    const auto info = content_of<in6_pktinfo>(control);
    slot.to = endpoint_of(info);
    slot.interface = info.ipi6_ifindex;
  } else if (is(SOL_IP, IP_PKTINFO)) {
    const auto info = content_of<in_pktinfo>(control);
    slot.to = endpoint_of(info);
    slot.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    // The address it can be answered from is another one than where it was sent (ip(7)).
    slot.to_many = info.ipi_spec_dst.s_addr != info.ipi_addr.s_addr;
  } else if (is(SOL_SOCKET, SO_RXQ_OVFL)) {
    slot.kernel_drops = content_of<std::uint32_t>(control);
  } else if (is(SOL_IPV6, IPV6_HOPLIMIT)) {
    slot.ttl = static_cast<std::uint8_t>(content_of<int>(control));
  }
}

void take(DatagramSlot& slot, mmsghdr& message) noexcept {
  auto& header = message.msg_hdr;
  slot.from.set_size(header.msg_namelen);
  slot.size = message.msg_len;
  slot.truncated = (header.msg_flags & MSG_TRUNC) != 0;
  slot.kernel_drops = 0;
  slot.interface = 0;
  slot.to_many = false;
  slot.header = 0;
  slot.to.clear();
  for (auto* control = CMSG_FIRSTHDR(&header); control; control = CMSG_NXTHDR(&header, control))
    read_control(slot, *control);
}

}  // namespace

// Out of line, for a constructor defaulted in the class would let `DatagramSlot()` write 64 KiB of zeros.
DatagramSlot::DatagramSlot() noexcept = default;

std::expected<std::size_t, int> receive_datagrams(int fd, std::span<DatagramSlot* const> slots, int flags) noexcept {
  thread_local ReceiveHeaders headers;
  const auto wanted = std::min(slots.size(), ReceiveHeaders::count);
  for (std::size_t i = 0; i < wanted; ++i)
    if (headers.slots[i] != slots[i]) headers.set_up(i, slots[i]);

  const int received = ::recvmmsg(fd, headers.messages.data(), static_cast<unsigned>(wanted), flags, nullptr);
  if (received < 0) return std::unexpected(errno);
  for (std::size_t i = 0; i < static_cast<std::size_t>(received); ++i) {
    take(*slots[i], headers.messages[i]);
    headers.arm(i);
  }
  return static_cast<std::size_t>(received);
}

}  // namespace superd
