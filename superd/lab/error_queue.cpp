#include "superd/lab/error_queue.h"

#include <linux/errqueue.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace superd {
namespace {

template <class Value>
bool read_value(cmsghdr& item, Value& value) noexcept {
  if (item.cmsg_len < CMSG_LEN(sizeof value)) return false;
  std::memcpy(&value, CMSG_DATA(&item), sizeof value);
  return true;
}

std::chrono::nanoseconds nanoseconds_of(const timespec& time) noexcept {
  return Seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool is_error_note(const cmsghdr& item) noexcept {
  return (item.cmsg_level == IPPROTO_IP && item.cmsg_type == IP_RECVERR) ||
         (item.cmsg_level == IPPROTO_IPV6 && item.cmsg_type == IPV6_RECVERR);
}

bool is_hop_limit(const cmsghdr& item) noexcept {
  return (item.cmsg_level == IPPROTO_IP && item.cmsg_type == IP_TTL) ||
         (item.cmsg_level == IPPROTO_IPV6 && item.cmsg_type == IPV6_HOPLIMIT);
}

void read_note(cmsghdr& item, ErrorNote& note) noexcept {
  struct {
    sock_extended_err error;
    ProbeAddress offender;  // SO_EE_OFFENDER
  } read{};
  if (item.cmsg_len < CMSG_LEN(sizeof read.error)) return;
  std::memcpy(&read, CMSG_DATA(&item), std::min(sizeof read, item.cmsg_len - CMSG_LEN(0)));
  note.from = bits_of(read.offender);
  note.type = read.error.ee_type;
  note.code = read.error.ee_code;
  note.code_of_host = static_cast<int>(read.error.ee_errno);
  note.is_local = read.error.ee_origin == SO_EE_ORIGIN_LOCAL;
  if (note.code_of_host == EMSGSIZE) note.mtu = read.error.ee_info;
}

}  // namespace

bool keep_errors(int socket, bool is_v6) noexcept {
  const int on = 1;
  if (is_v6) return ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0;
  return ::setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0;
}

std::optional<ErrorNote> next_error(int socket, std::span<std::byte> room) noexcept {
  alignas(cmsghdr) std::byte control[512];
  ErrorNote note{.target = {.v6 = {}}};
  iovec part{room.data(), room.size()};
  msghdr header{.msg_name = &note.target,
                .msg_namelen = sizeof note.target,
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof control};
  const auto got = ::recvmsg(socket, &header, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (got < 0) return std::nullopt;
  note.quoted = room.first(static_cast<std::size_t>(got));
  note.received = received_at(header, TwoClocks::read());
  for (auto* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item))
    if (is_error_note(*item)) read_note(*item, note);
  return note;
}

// In this order: who is held up in between takes a time for longer than it was, never for one before it began.
TwoClocks TwoClocks::read() noexcept {
  timespec wall;
  ::clock_gettime(CLOCK_REALTIME, &wall);
  return {nanoseconds_of(wall), Clock::now()};
}

Time received_at(msghdr& header, const TwoClocks& clocks) noexcept {
  for (auto* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item)) {
    timespec stamp;
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS || !read_value(*item, stamp)) continue;
    const auto age = clocks.wall - nanoseconds_of(stamp);
    // Somebody has set the clock meanwhile: what was measured is the better guess.
    if (age < Clock::duration{} || age > Seconds(1)) break;
    return clocks.now - age;
  }
  return clocks.now;
}

int hop_limit_of(msghdr& header) noexcept {
  int limit = -1;
  for (auto* item = CMSG_FIRSTHDR(&header); item; item = CMSG_NXTHDR(&header, item))
    if (is_hop_limit(*item)) read_value(*item, limit);
  return limit;
}

void set_hop_limit(msghdr& header, std::span<std::byte> room, bool is_v6, int limit) noexcept {
  header.msg_control = room.data();
  header.msg_controllen = CMSG_SPACE(sizeof limit);
  auto* const item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  item->cmsg_type = is_v6 ? IPV6_HOPLIMIT : IP_TTL;
  item->cmsg_len = CMSG_LEN(sizeof limit);
  std::memcpy(CMSG_DATA(item), &limit, sizeof limit);
}

}  // namespace superd
