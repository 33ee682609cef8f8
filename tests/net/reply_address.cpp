#include <netinet/in.h>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Asks at `host` from an unconnected socket, which hears whoever answers, and returns who did.
Endpoint answerer(const Socket& server, std::string_view host) {
  const auto door = door_of(server, host);
  const Socket client(::socket(door.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::sendto(client.fd(), "ask", 3, 0, door.address(), door.size());
  const Slots slots(4);
  if (receive(server, slots) != 1) return {};
  EXPECT_EQ(slots[0].to.unmapped(), *Endpoint::parse(host, 0));
  EXPECT_NE(slots[0].interface, 0U);

  Outbox outbox(server.fd());
  outbox.add(slots[0], slots[0].payload());
  EXPECT_EQ(outbox.flush().datagrams, 1U);
  if (!is_readable(client)) return {};
  Endpoint from;
  socklen_t size = Endpoint::capacity;
  char room[16];
  ::recvfrom(client.fd(), room, sizeof room, MSG_DONTWAIT, from.address(), &size);
  from.set_size(size);
  return from;
}

}  // namespace

TEST(AnAnswer, LeavesFromTheAddressThatWasAsked) {
  const auto server = listen_at("udp/0");
  for (const auto* host : {"127.0.0.1", "127.0.0.2", "127.1.2.3"})
    EXPECT_EQ(answerer(server, host), door_of(server, host));
}

TEST(AnAnswer, LeavesFromTheAddressThatWasAskedOnIpv4Alone) {
  const auto server = listen_at("udp/0.0.0.0:0");
  for (const auto* host : {"127.0.0.1", "127.0.0.2"}) EXPECT_EQ(answerer(server, host), door_of(server, host));
}

TEST(AnAnswer, LeavesFromTheAddressThatWasAskedOverIpv6) {
  if (!has_v6()) GTEST_SKIP() << "no ::1 here";
  const auto server = listen_at("udp/0");
  EXPECT_EQ(answerer(server, "::1"), door_of(server, "::1"));
}

TEST(AnAnswer, LeavesFromTheAddressThatWasAskedOnAnInterface) {
  const auto server = listen_at("udp/*%lo:0");
  EXPECT_EQ(answerer(server, "127.0.0.2"), door_of(server, "127.0.0.2"));
}

TEST(ASocketAtOneAddress, DoesNotAskForWhatItKnows) {
  const auto server = listen_at("udp/127.0.0.2:0");
  const auto client = connected_to(door_of(server, "127.0.0.2"), SOCK_DGRAM);
  send_text(client, "ask");
  const Slots slots(1);
  ASSERT_EQ(receive(server, slots), 1U);
  EXPECT_EQ(slots[0].to.family(), AF_UNSPEC);
  EXPECT_EQ(slots[0].interface, 0U);
}

TEST(ASlot, ForgetsTheAddressOfItsLastDatagram) {
  const auto wildcard = listen_at("udp/0");
  const auto single = listen_at("udp/127.0.0.1:0");
  const Slots slots(1);
  send_text(connected_to(door_of(wildcard, "127.0.0.1"), SOCK_DGRAM), "x");
  ASSERT_EQ(receive(wildcard, slots), 1U);
  ASSERT_NE(slots[0].to.family(), AF_UNSPEC);
  send_text(connected_to(door_of(single, "127.0.0.1"), SOCK_DGRAM), "x");
  ASSERT_EQ(receive(single, slots), 1U);
  EXPECT_EQ(slots[0].to.family(), AF_UNSPEC);
}

TEST(AnAnswer, ToAGroupsAddressDoesNotPretendToBeTheGroup) {
  const auto server = listen_at("udp/0.0.0.0:0");
  const auto client = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  const Slots slots(1);
  slots[0].from = *local_endpoint(client);
  slots[0].to = endpoint("224.0.0.1:0");
  Outbox outbox(server.fd());
  outbox.add(slots[0], bytes_of("hello"));
  EXPECT_EQ(outbox.flush().datagrams, 1U);
  EXPECT_EQ(received_text(client), "hello");
}

TEST(AWildcard, IsNotAskedThroughTheGroupsOfOthers) {
  const auto server = listen_at("udp/0");
  EXPECT_EQ(option_of(server, SOL_IP, IP_MULTICAST_ALL), 0);
  EXPECT_EQ(option_of(server, SOL_IPV6, IPV6_MULTICAST_ALL), 0);
}

TEST(TheSizeOfAnAnswersFragments, IsNotForgedByIcmp) {
  EXPECT_EQ(option_of(listen_at("udp/127.0.0.1:0"), SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
  if (!has_v6()) GTEST_SKIP() << "no ::1 here";
  const auto dual = listen_at("udp/0");
  EXPECT_EQ(option_of(dual, SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
  EXPECT_EQ(option_of(dual, SOL_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_DONT);
}
