#include "superd/lab/echo_filter.h"

#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include <span>

namespace superd {
namespace {

constexpr unsigned accept_all = 0xffff'ffff, reject = 0;
constexpr unsigned id_at = 4, quote_at = 8, protocol_v4_at = 9, protocol_v6_at = 6;

// Offset 0 is the IPv4 header, whose length goes into X.
constexpr sock_filter header_to_x = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
constexpr sock_filter verdict_yes = BPF_STMT(BPF_RET | BPF_K, accept_all);
constexpr sock_filter verdict_no = BPF_STMT(BPF_RET | BPF_K, reject);

Result<> attach(int socket, std::span<sock_filter> program) {
  const sock_fprog described{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &described, sizeof described) != 0)
    return system_error("filter what a raw socket receives (SO_ATTACH_FILTER)");
  return {};
}

Result<> attach_v4(int socket, std::uint16_t id) {
  sock_filter program[] = {
      header_to_x,
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, icmp_v4::echo_reply, 0, 2),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, id_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 2, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, quote_at + protocol_v4_at),  // an error, by the filter of types
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 0, 1),
      verdict_yes,
      verdict_no,
  };
  return attach(socket, program);
}

Result<> attach_v6(int socket, std::uint16_t id) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, icmp_v6::echo_reply, 0, 2),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, id_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 2, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, quote_at + protocol_v6_at),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 1),
      verdict_yes,
      verdict_no,
  };
  return attach(socket, program);
}

Result<> pass_types_v4(int socket) {
  icmp_filter blocked{~(1U << icmp_v4::echo_reply | 1U << icmp_v4::unreachable | 1U << icmp_v4::time_exceeded |
                        1U << icmp_v4::parameter_problem)};
  if (::setsockopt(socket, SOL_RAW, ICMP_FILTER, &blocked, sizeof blocked) != 0)
    return system_error("choose the types that a raw socket receives (ICMP_FILTER)");
  return {};
}

Result<> pass_types_v6(int socket) {
  icmp6_filter passed;
  ICMP6_FILTER_SETBLOCKALL(&passed);
  for (const auto type : {icmp_v6::echo_reply, icmp_v6::unreachable, icmp_v6::packet_too_big, icmp_v6::time_exceeded,
                          icmp_v6::parameter_problem})
    ICMP6_FILTER_SETPASS(type, &passed);
  if (::setsockopt(socket, IPPROTO_ICMPV6, ICMP6_FILTER, &passed, sizeof passed) != 0)
    return system_error("choose the types that a raw socket receives (ICMP6_FILTER)");
  return {};
}

void throw_away(int socket) noexcept {
  std::byte byte;
  while (::recv(socket, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0) {
  }
}

}  // namespace

Result<> filter_echoes(int socket, IcmpVersion version, std::uint16_t id) {
  const bool is_v6 = version == IcmpVersion::v6;
  if (auto attached = is_v6 ? attach_v6(socket, id) : attach_v4(socket, id); !attached) return attached;
  if (auto passed = is_v6 ? pass_types_v6(socket) : pass_types_v4(socket); !passed) return passed;
  throw_away(socket);
  return {};
}

}  // namespace superd
