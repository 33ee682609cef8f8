#include <ifaddrs.h>
#include <net/if.h>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string device_of(const Socket& socket) {
  char name[IF_NAMESIZE] = "";
  socklen_t size = sizeof name;
  ::getsockopt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE, name, &size);
  return name;
}

/// "fe80::1%eth0", or empty.
std::string a_link_local_address() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return "";
  std::string found;
  for (const auto* at = first; at && found.empty(); at = at->ifa_next) {
    const auto one =
        Endpoint::from(at->ifa_addr, at->ifa_addr && at->ifa_addr->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : 0);
    const auto text = one.text();
    if (one.is_link_local()) found = text.substr(1, text.find(']') - 1);
  }
  ::freeifaddrs(first);
  return found;
}

}  // namespace

TEST(AListener, MayBeBoundToAnInterface) {
  const auto stream = listen_at("tcp/*%lo:0");
  EXPECT_EQ(device_of(stream), "lo");
  EXPECT_TRUE(connected_to(door_of(stream, "127.0.0.1")).is_open());
  const auto datagrams = listen_at("udp/127.0.0.1%lo:0");
  EXPECT_EQ(device_of(datagrams), "lo");
}

TEST(ALinkLocalListener, GetsItsScopeFromTheInterfacesName) {
  const auto host = a_link_local_address();
  if (host.empty()) GTEST_SKIP() << "no link-local address here";
  const auto listener = listen_at("udp/[" + host + "]:0");
  EXPECT_EQ(local_endpoint(listener)->scope(), ::if_nametoindex(host.substr(host.find('%') + 1).c_str()));
}
