#include <netinet/in.h>
#include <sys/socket.h>

#include "superd/net/classic_bpf.h"
#include "superd/net/icmp_types.h"
#include "superd/net/socket_options.h"

namespace superd {

Result<> set_for_raw(int socket, const ListenAddress& address, const ListenOptions& options) {
  const bool v6 = address.endpoint.is_v6();
  const int free = options.when_absent == WhenAbsent::freebind ? 1 : 0;
  const int own_header = options.raw.own_header ? 1 : 0;
  const Option of_v4[] = {
      {SOL_SOCKET, SO_RXQ_OVFL,     1,                "SO_RXQ_OVFL"    },
      {SOL_IP,     IP_FREEBIND,     free,             "IP_FREEBIND"    },
      {SOL_IP,     IP_PKTINFO,      1,                "IP_PKTINFO"     },
      // As of datagrams: what exceeds the path is fragmented, not refused.
      {SOL_IP,     IP_MTU_DISCOVER, IP_PMTUDISC_OMIT, "IP_MTU_DISCOVER"},
      {SOL_IP,     IP_HDRINCL,      own_header,       "IP_HDRINCL"     },
  };
  // There is no IPV6_V6ONLY: to a raw socket of IPv6 no packet of IPv4 comes.
  const Option of_v6[] = {
      {SOL_SOCKET, SO_RXQ_OVFL,       1,                  "SO_RXQ_OVFL"      },
      {SOL_IPV6,   IPV6_FREEBIND,     free,               "IPV6_FREEBIND"    },
      {SOL_IPV6,   IPV6_RECVPKTINFO,  1,                  "IPV6_RECVPKTINFO" },
      // The header stays in the kernel, and this is all of it that is wanted.
      {SOL_IPV6,   IPV6_RECVHOPLIMIT, 1,                  "IPV6_RECVHOPLIMIT"},
      {SOL_IPV6,   IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT, "IPV6_MTU_DISCOVER"},
      {SOL_IPV6,   IPV6_MTU,          smallest_v6_path,   "IPV6_MTU"         },
  };
  ask_for_buffers(socket, options, burst_buffer);
  return v6 ? set_options(socket, of_v6, address.text) : set_options(socket, of_v4, address.text);
}

Result<> filter_raw(int socket, const ListenAddress& address, const RawOptions& options) {
  const int protocol = address.endpoint.port();
  const bool v6 = address.endpoint.is_v6();
  const auto version = v6 ? IcmpVersion::v6 : IcmpVersion::v4;
  // Of another protocol the kernel has no types.
  const int icmp = v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP};
  if (protocol == icmp) {
    std::vector<std::uint8_t> types;
    for (const auto& text : options.icmp_types)
      if (const auto type = icmp_type_of(text, version)) types.push_back(*type);
    if (auto passed = pass_icmp_types(socket, version, types, address.text); !passed) return passed;
  }
  return attach_bpf(socket, options.filter, address.text);
}

Result<> change_raw(int socket, const ListenAddress& address, const ListenOptions& now, const ListenOptions& wanted) {
  if (now.raw.peer != wanted.raw.peer || now.raw.own_header != wanted.raw.own_header)
    return error("change peer or own_header of " + address.text +
                 ": a socket has them for life; take the listener away, and in another change write it again");
  if (auto is_set = set_for_raw(socket, address, wanted); !is_set) return is_set;
  return filter_raw(socket, address, wanted.raw);
}

}  // namespace superd
