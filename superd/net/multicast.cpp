#include "superd/net/multicast.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "superd/base/words.h"
#include "superd/net/socket_options.h"

namespace superd {
namespace {

constexpr std::string_view examples = R"("239.1.2.3%eth0", "ff15::1234%eth0" or "10.0.0.5@232.1.1.1%eth0")";

std::unexpected<Error> failed(const std::string& doing, const Membership& membership, const std::string& where) {
  const int code = errno;
  auto failure = system_error(doing + ' ' + membership.text + " for " + where, code);
  auto& what = failure.error().what;
  switch (code) {
    case ENODEV:
      what += membership.interface.empty() ? "; no route leads to it: name an interface, as in \"239.1.2.3%eth0\""
                                           : "; no interface has this name (ip link shows them)";
      break;
    case ENOBUFS: what += "; raise net.ipv4.igmp_max_memberships, or name fewer groups"; break;
    default: break;
  }
  return failure;
}

/// 0 and ENODEV where it has none; 0 is also what no name has.
Result<unsigned> index_of(const Membership& membership, const std::string& device, const std::string& where) {
  const auto& name = membership.interface.empty() ? device : membership.interface;
  if (name.empty()) return 0U;
  const auto index = ::if_nametoindex(name.c_str());
  errno = ENODEV;
  if (index == 0) return failed("find the interface of", membership, where);
  return index;
}

void put(sockaddr_storage& into, const Endpoint& address) noexcept {
  std::memcpy(&into, address.address(), address.size());
}

// As RFC 3678, 5.1 has it, the same for both versions of IP. On a socket of both, the options of IPv4 are had as well.
int change(int socket, const Membership& membership, unsigned interface, bool joins) noexcept {
  const int level = membership.group.is_v6() ? int{SOL_IPV6} : int{SOL_IP};
  if (!membership.source) {
    group_req request{};
    request.gr_interface = interface;
    put(request.gr_group, membership.group);
    return ::setsockopt(socket, level, joins ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, &request, sizeof request);
  }
  group_source_req request{};
  request.gsr_interface = interface;
  put(request.gsr_group, membership.group);
  put(request.gsr_source, *membership.source);
  return ::setsockopt(socket, level, joins ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP, &request,
                      sizeof request);
}

bool has(const std::vector<Membership>& all, const Membership& one) { return std::ranges::find(all, one) != all.end(); }

Result<> set_for_sending(int socket, const Endpoint& local, const GroupOptions& options, const std::string& where) {
  int index = 0;
  if (!options.interface.empty()) index = static_cast<int>(::if_nametoindex(options.interface.c_str()));
  if (!options.interface.empty() && index == 0)
    return system_error("send by " + options.interface + " from " + where, ENODEV);
  const ip_mreqn by{.imr_multiaddr = {}, .imr_address = {}, .imr_ifindex = index};
  if (::setsockopt(socket, SOL_IP, IP_MULTICAST_IF, &by, sizeof by) != 0)
    return system_error("set IP_MULTICAST_IF for " + where);
  const bool v6 = local.is_v6();
  const int loop = options.loop ? 1 : 0;
  const Option rows[] = {
      {SOL_SOCKET, SO_BROADCAST, options.broadcast ? 1 : 0, "SO_BROADCAST"},
      {SOL_IP, IP_MULTICAST_TTL, options.ttl, "IP_MULTICAST_TTL"},
      {SOL_IP, IP_MULTICAST_LOOP, loop, "IP_MULTICAST_LOOP"},
      {SOL_IPV6, IPV6_MULTICAST_HOPS, options.ttl, "IPV6_MULTICAST_HOPS", v6},
      {SOL_IPV6, IPV6_MULTICAST_LOOP, loop, "IPV6_MULTICAST_LOOP", v6},
      {SOL_IPV6, IPV6_MULTICAST_IF, index, "IPV6_MULTICAST_IF", v6},
  };
  return set_options(socket, rows, where);
}

Result<> join(int socket, const Membership& membership, const std::string& device, const std::string& where) {
  const auto interface = index_of(membership, device, where);
  if (!interface) return std::unexpected(interface.error());
  // A socket that was another service's may be in it already.
  if (change(socket, membership, *interface, true) == 0 || errno == EADDRINUSE) return {};
  return failed("join", membership, where);
}

/// As a socket of both versions of IP sends to it; one of IPv6 as it is.
Endpoint mapped(const Endpoint& address) noexcept {
  if (!address.is_v4()) return address;
  const auto bits = AddressBits::of(address);
  const std::uint64_t network[] = {htobe64(bits.high), htobe64(bits.low)};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port());
  std::memcpy(&v6.sin6_addr, network, sizeof network);
  return Endpoint::from(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

template <class T>
std::size_t put_control(std::span<char> room, int level, int type, const T& content) noexcept {
  const cmsghdr header{.cmsg_len = CMSG_LEN(sizeof content), .cmsg_level = level, .cmsg_type = type};
  std::memcpy(room.data(), &header, sizeof header);
  std::memcpy(room.data() + CMSG_LEN(0), &content, sizeof content);
  return CMSG_LEN(sizeof content);
}

std::size_t put_interface_v4(std::span<char> room, unsigned interface) noexcept {
  return put_control(room, SOL_IP, IP_PKTINFO,
                     in_pktinfo{.ipi_ifindex = static_cast<int>(interface), .ipi_spec_dst = {}, .ipi_addr = {}});
}

std::size_t put_interface_v6(std::span<char> room, unsigned interface, bool is_mapped) noexcept {
  in6_pktinfo by{.ipi6_addr = {}, .ipi6_ifindex = interface};
  // For IPv4 the kernel wants an address of IPv4 here, be it none.
  if (is_mapped) by.ipi6_addr.s6_addr[10] = by.ipi6_addr.s6_addr[11] = 0xff;
  return put_control(room, SOL_IPV6, IPV6_PKTINFO, by);
}

}  // namespace

Result<Membership> Membership::parse(std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return error('"' + escaped(text, 80) + "\" is not a group: " + std::string(why));
  };
  Membership result{.group = {}, .source = {}, .interface = {}, .text = std::string(text)};
  auto rest = text;
  if (const auto at = rest.find('@'); at != rest.npos) {
    const auto source = Endpoint::parse(rest.substr(0, at), 0);
    if (!source || source->is_multicast() || source->is_wildcard())
      return refused("before the @ stands the address of the one who sends, as in \"10.0.0.5@232.1.1.1\"");
    result.source = *source;
    rest.remove_prefix(at + 1);
  }
  if (const auto percent = rest.find('%'); percent != rest.npos) {
    result.interface = std::string(rest.substr(percent + 1));
    if (result.interface.empty() || result.interface.size() >= IF_NAMESIZE)
      return refused("after the % stands the name of an interface");
    rest = rest.substr(0, percent);
  }
  const auto group = Endpoint::parse(rest, 0);
  if (!group || !group->is_multicast())
    return refused("write an address of 224.0.0.0/4 or ff00::/8, as in " + std::string(examples));
  result.group = *group;
  if (result.source && result.source->is_v6() != group->is_v6())
    return refused("its source is of another version of IP");
  return result;
}

bool can_join(const Endpoint& local, const Membership& membership) noexcept {
  if (AddressBits::of(local) == AddressBits::of(membership.group)) return true;
  if (!local.is_wildcard()) return false;
  return membership.group.is_v6() ? local.is_v6() : local.is_v4() || local.is_v6();
}

Result<> change_groups(int socket, const Endpoint& local, const std::string& device, const GroupOptions& now,
                       const GroupOptions& wanted, const std::string& where) {
  if (now == wanted) return {};
  if (auto set = set_for_sending(socket, local, wanted, where); !set) return set;
  for (const auto& one : wanted.groups)
    if (!has(now.groups, one) && can_join(local, one))
      if (auto joined = join(socket, one, device, where); !joined) return joined;
  for (const auto& one : now.groups) {
    if (has(wanted.groups, one) || !can_join(local, one)) continue;
    // Who cannot leave is not in it any more: its interface has gone.
    if (const auto interface = index_of(one, device, where)) (void)change(socket, one, *interface, false);
  }
  return {};
}

bool send_to_group(int socket, const Endpoint& local, const Membership& membership, std::string_view text) noexcept {
  auto to = membership.group;
  to.set_port(local.port());
  if (local.is_v6()) to = mapped(to);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  msghdr message{};
  message.msg_name = to.address();
  message.msg_namelen = to.size();
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (const auto interface = ::if_nametoindex(membership.interface.c_str())) {
    message.msg_control = control.data();
    message.msg_controllen = local.is_v4() ? put_interface_v4(control, interface)
                                           : put_interface_v6(control, interface, membership.group.is_v4());
  }
  return ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

}  // namespace superd
