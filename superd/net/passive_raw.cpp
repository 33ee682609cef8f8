#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <memory>

#include "superd/net/classic_bpf.h"
#include "superd/net/passive.h"
#include "superd/net/socket_options.h"

namespace superd {
namespace {

std::unexpected<Error> failed(const std::string& doing, const ListenAddress& address) {
  const int code = errno;
  auto failure = system_error(doing + ' ' + address.text, code);
  auto& what = failure.error().what;
  switch (code) {
    case EPERM:
    case EACCES:
      what += "; raw sockets need CAP_NET_RAW: start superd as root, or in a network of its own (unshare -rn)";
      break;
    case EADDRNOTAVAIL:
      what += "; no interface has this address (ip address shows them); when_absent = \"retry\" waits for it";
      break;
    case ENODEV: what += "; no interface has this name (ip link shows them)"; break;
    case EMFILE:
    case ENFILE: what += "; raise the limit on open files (ulimit -n, fs.file-max)"; break;
    default: break;
  }
  return failure;
}

Result<> bind_to(int socket, const ListenAddress& address, const RawOptions& options) {
  const auto& device = address.interface;
  if (!device.empty() &&
      ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, device.data(), static_cast<socklen_t>(device.size())) != 0)
    return failed("bind", address);
  auto local = address.endpoint;
  local.set_port(0);
  if (!local.is_wildcard() && ::bind(socket, local.address(), local.size()) != 0) return failed("bind", address);
  if (options.peer && ::connect(socket, options.peer->address(), options.peer->size()) != 0)
    return failed("connect to the peer of", address);
  return {};
}

struct FreeNames {
  void operator()(struct if_nameindex* all) const noexcept { ::if_freenameindex(all); }
};

/// IGMPv3 reports go to 224.0.0.22, and leaves of version 2 to 224.0.0.2 (RFC 3376, 4.2.14; RFC 2236, 9): neither is
/// received by who is not in these groups. An interface without multicast refuses, and is left out.
Result<> join_routers_groups(int socket, const ListenAddress& address) {
  const auto join = [&](unsigned interface) {
    bool has_joined = true;
    for (const in_addr_t group : {0xe0000016U, 0xe0000002U}) {
      const ip_mreqn wanted{
          .imr_multiaddr = {htonl(group)}, .imr_address = {}, .imr_ifindex = static_cast<int>(interface)};
      has_joined &= ::setsockopt(socket, SOL_IP, IP_ADD_MEMBERSHIP, &wanted, sizeof wanted) == 0;
    }
    return has_joined;
  };
  if (!address.interface.empty()) {
    const auto index = ::if_nametoindex(address.interface.c_str());
    return index != 0 && join(index) ? Result<>{} : failed("join the groups of routers for", address);
  }
  const std::unique_ptr<struct if_nameindex, FreeNames> all(::if_nameindex());
  if (!all) return failed("list the interfaces for", address);
  for (const auto* one = all.get(); one->if_index != 0; ++one) (void)join(one->if_index);
  return {};
}

/// What slipped in between socket(2) and the first filter.
void drain(int socket) noexcept {
  std::array<char, 1> byte;
  while (::recv(socket, byte.data(), byte.size(), MSG_DONTWAIT | MSG_TRUNC) >= 0 || errno == EINTR) continue;
}

}  // namespace

Result<Socket> passive_raw(const ListenAddress& address, const ListenOptions& options) {
  if (address.transport != Transport::raw) broken("passive_raw for another transport");
  const int protocol = address.endpoint.port();
  Socket socket(::socket(address.endpoint.family(), SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!socket.is_open()) return failed("open a socket for", address);

  // From its first moment a raw socket receives packets of all addresses and kinds. With a filter that passes nothing the
  // queue can only become shorter, so once it is empty all that comes later has passed what is wanted.
  if (auto none = attach_nothing(socket.fd(), address.text); !none) return std::unexpected(none.error());
  if (auto is_set = set_for_raw(socket.fd(), address, options); !is_set) return std::unexpected(is_set.error());
  if (auto bound = bind_to(socket.fd(), address, options.raw); !bound) return std::unexpected(bound.error());
  if (protocol == IPPROTO_IGMP)
    if (auto joined = join_routers_groups(socket.fd(), address); !joined) return std::unexpected(joined.error());
  drain(socket.fd());
  if (auto filtered = filter_raw(socket.fd(), address, options.raw); !filtered)
    return std::unexpected(filtered.error());
  return socket;
}

}  // namespace superd
