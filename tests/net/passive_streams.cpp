#include <netinet/tcp.h>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

TEST(APassiveTcpSocket, IsReachedByIpv4AndIpv6AtOnce) {
  if (!has_v6()) GTEST_SKIP() << "no ::1 here";
  const auto listener = listen_at("tcp/0");
  EXPECT_TRUE(connected_to(door_of(listener, "127.0.0.1")).is_open());
  EXPECT_TRUE(connected_to(door_of(listener, "127.0.0.2")).is_open());
  EXPECT_TRUE(connected_to(door_of(listener, "::1")).is_open());
}

TEST(APassiveTcpSocket, AtOneAddressIsNotReachedByAnother) {
  const auto listener = listen_at("tcp/127.0.0.2:0");
  EXPECT_TRUE(connected_to(door_of(listener, "127.0.0.2")).is_open());
  EXPECT_FALSE(connected_to(door_of(listener, "127.0.0.1")).is_open());
}

TEST(APassiveTcpSocket, OnIpv6LoopbackLeavesIpv4Alone) {
  if (!has_v6()) GTEST_SKIP() << "no ::1 here";
  const auto listener = listen_at("tcp/[::1]:0");
  EXPECT_EQ(option_of(listener, SOL_IPV6, IPV6_V6ONLY), 1);
  EXPECT_TRUE(connected_to(door_of(listener, "::1")).is_open());
}

TEST(APassiveSocket, IsClosedByExecAndBlocks) {
  for (const auto* text : {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}) {
    const auto listener = listen_at(text);
    EXPECT_NE(::fcntl(listener.fd(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(::fcntl(listener.fd(), F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST(AnAcceptedConnection, InheritsWhatItsListenerWasToldOnce) {
  ListenOptions options;
  options.keepalive = Seconds(30);
  const auto listener = listen_at("tcp/127.0.0.1:0", options);
  const auto client = connected_to(door_of(listener, "127.0.0.1"));
  const auto served = accepted_from(listener);
  EXPECT_EQ(option_of(served, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option_of(served, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option_of(served, IPPROTO_TCP, TCP_KEEPIDLE), 30);
  EXPECT_EQ(option_of(served, IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(option_of(served, IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option_of(served, IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
}

TEST(AKeepalive, IsKeptWithinWhatTheKernelTakes) {
  ListenOptions options;
  options.keepalive = Seconds(0);
  EXPECT_EQ(option_of(listen_at("tcp/127.0.0.1:0", options), IPPROTO_TCP, TCP_KEEPIDLE), 1);
  options.keepalive = std::chrono::hours(1000);
  EXPECT_EQ(option_of(listen_at("tcp/127.0.0.1:0", options), IPPROTO_TCP, TCP_KEEPIDLE), 32767);
}

TEST(TheBuffersOfAStream, AreTheKernelsUnlessTheyAreGiven) {
  const Socket plain(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto ours = listen_at("tcp/127.0.0.1:0");
  EXPECT_EQ(option_of(ours, SOL_SOCKET, SO_RCVBUF), option_of(plain, SOL_SOCKET, SO_RCVBUF));
  ListenOptions options;
  options.receive_buffer = 20'000;
  options.send_buffer = 30'000;
  const auto given = listen_at("tcp/127.0.0.1:0", options);
  EXPECT_EQ(option_of(given, SOL_SOCKET, SO_RCVBUF), 40'000);  // the kernel doubles both (socket(7))
  EXPECT_EQ(option_of(given, SOL_SOCKET, SO_SNDBUF), 60'000);
}

TEST(ARestartedServer, DoesNotWaitForItsOldConnections) {
  auto listener = listen_at("tcp/127.0.0.1:0");
  const auto door = door_of(listener, "127.0.0.1");
  const auto client = connected_to(door);
  accepted_from(listener).reset();  // the server closes first: its side stays behind in FIN_WAIT, then TIME_WAIT
  ASSERT_TRUE(is_readable(client));
  listener.reset();
  EXPECT_TRUE(passive(address("tcp/" + door.text()), {}));
}
