#include <cstring>
#include <type_traits>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

static_assert(std::is_trivially_copyable_v<Endpoint>);

TEST(AnEndpoint, PrintsAsItIsParsed) {
  for (const auto* text : {"127.0.0.1:7", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:7", "[::]:13",
                           "[2001:db8::1]:37", "[::ffff:10.0.0.1]:19", "[fe80::1%lo]:7", "unix:/run/superd/echo"}) {
    const auto parsed = Endpoint::parse(text);
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(parsed->text(), text);
    EXPECT_EQ(Endpoint::parse(parsed->text()), *parsed);
  }
}

TEST(AnEndpoint, IsParsedStrictly) {
  const std::string_view wrong[] = {"",
                                    ":",
                                    "7",
                                    ":7",
                                    "127.0.0.1",
                                    "127.0.0.1:",
                                    "127.0.0.1: 7",
                                    "127.0.0.1:7 ",
                                    " 127.0.0.1:7",
                                    "127.0.0.1:07",
                                    "127.0.0.1:65536",
                                    "127.0.0.1:-1",
                                    "127.0.0.1:+7",
                                    "127.0.0.1:0x7",
                                    "127.0.0.1:7:8",
                                    "127.0.0.01:7",
                                    "0177.0.0.1:7",
                                    "127.1:7",
                                    "256.0.0.1:7",
                                    "localhost:7",
                                    "::1:7",
                                    "[::1]",
                                    "[::1]7",
                                    "[::1:7",
                                    "[127.0.0.1]:7",
                                    "[::1]]:7",
                                    "[]:7",
                                    "[::1%lo]:7",
                                    "[fe80::1%]:7",
                                    "[fe80::1%no-such-if]:7",
                                    "127.0.0.1%lo:7",
                                    "[::g]:7",
                                    "unix:",
                                    std::string_view("127.0.0.1\0x:7", 13),
                                    std::string_view("[::1\0]:7", 8)};
  for (const auto text : wrong) EXPECT_FALSE(Endpoint::parse(text)) << text;
}

TEST(AnEndpoint, HasAPathThatFitsTheKernel) {
  EXPECT_EQ(Endpoint::unix_path(std::string(107, 'x'))->path(), std::string(107, 'x'));
  EXPECT_FALSE(Endpoint::unix_path(std::string(108, 'x')));
  EXPECT_FALSE(Endpoint::unix_path(""));
  EXPECT_FALSE(Endpoint::unix_path(std::string_view("a\0b", 3)));
}

TEST(AnEndpoint, ComparesByMeaningNotByPadding) {
  sockaddr_in padded;
  std::memset(&padded, 0xaa, sizeof padded);
  padded.sin_family = AF_INET;
  padded.sin_port = htons(7);
  padded.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto from_kernel = Endpoint::from(reinterpret_cast<const sockaddr*>(&padded), sizeof padded);
  EXPECT_EQ(from_kernel, endpoint("127.0.0.1:7"));
  EXPECT_EQ(std::hash<Endpoint>{}(from_kernel), std::hash<Endpoint>{}(endpoint("127.0.0.1:7")));

  sockaddr_in6 flow{};
  flow.sin6_family = AF_INET6;
  flow.sin6_port = htons(7);
  flow.sin6_addr = in6addr_loopback;
  flow.sin6_flowinfo = 99;
  const auto with_flow = Endpoint::from(reinterpret_cast<const sockaddr*>(&flow), sizeof flow);
  EXPECT_EQ(with_flow, endpoint("[::1]:7"));
  EXPECT_EQ(std::hash<Endpoint>{}(with_flow), std::hash<Endpoint>{}(endpoint("[::1]:7")));
}

TEST(AnEndpoint, DiffersInEachPart) {
  const Endpoint all[] = {endpoint("127.0.0.1:7"),
                          endpoint("127.0.0.1:8"),
                          endpoint("127.0.0.2:7"),
                          endpoint("[::1]:7"),
                          endpoint("[::ffff:127.0.0.1]:7"),
                          endpoint("[fe80::1%1]:7"),
                          endpoint("[fe80::1]:7"),
                          endpoint("unix:/a"),
                          endpoint("unix:/b"),
                          Endpoint()};
  for (const auto& a : all)
    for (const auto& b : all) EXPECT_EQ(a == b, &a == &b) << a.text() << ' ' << b.text();
}

TEST(AnEndpoint, ThatIsCutShortIsNone) {
  const auto whole = endpoint("[::1]:7");
  EXPECT_EQ(Endpoint::from(whole.address(), sizeof(sockaddr_in)).family(), AF_UNSPEC);
  EXPECT_EQ(Endpoint::from(nullptr, 0).family(), AF_UNSPEC);
  EXPECT_EQ(Endpoint().size(), 0U);
  EXPECT_EQ(Endpoint().text(), "unspecified");
}

TEST(AMappedAddress, IsLookedAtAsIpv4) {
  const auto mapped = endpoint("[::ffff:127.0.0.1]:7");
  EXPECT_EQ(mapped.unmapped(), endpoint("127.0.0.1:7"));
  EXPECT_TRUE(mapped.is_loopback());
  EXPECT_TRUE(endpoint("[::ffff:224.0.0.1]:7").is_multicast());
  EXPECT_TRUE(endpoint("[::ffff:255.255.255.255]:7").is_limited_broadcast());
  EXPECT_EQ(endpoint("[::1]:7").unmapped(), endpoint("[::1]:7"));
}

TEST(AnEndpoint, KnowsWhatItsAddressIs) {
  EXPECT_TRUE(Endpoint::any_v4(7).is_wildcard());
  EXPECT_TRUE(Endpoint::any_v6(7).is_wildcard());
  EXPECT_FALSE(endpoint("127.0.0.1:7").is_wildcard());
  EXPECT_TRUE(endpoint("127.255.0.1:7").is_loopback());
  EXPECT_TRUE(endpoint("[::1]:7").is_loopback());
  EXPECT_TRUE(endpoint("unix:/x").is_loopback());
  EXPECT_FALSE(endpoint("128.0.0.1:7").is_loopback());
  EXPECT_TRUE(endpoint("239.1.2.3:7").is_multicast());
  EXPECT_TRUE(endpoint("[ff02::1]:7").is_multicast());
  EXPECT_FALSE(endpoint("240.0.0.1:7").is_multicast());
  EXPECT_TRUE(endpoint("[fe80::1]:7").is_link_local());
  EXPECT_FALSE(endpoint("[fec0::1]:7").is_link_local());
  EXPECT_FALSE(Endpoint().is_loopback());
}

TEST(AnUnnamedUnixPeer, PrintsWithoutAPath) {
  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  const auto peer = Endpoint::from(reinterpret_cast<const sockaddr*>(&unnamed), sizeof(sa_family_t));
  EXPECT_EQ(peer.text(), "unix:");
  EXPECT_EQ(peer.path(), "");
}

TEST(AnAbstractUnixName, IsNotTheSameAsAPath) {
  sockaddr_un abstract{};
  abstract.sun_family = AF_UNIX;
  std::memcpy(abstract.sun_path, "\0a\0b", 4);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 4);
  const auto peer = Endpoint::from(reinterpret_cast<const sockaddr*>(&abstract), size);
  EXPECT_EQ(peer.path(), std::string_view("\0a\0b", 4));
  EXPECT_EQ(peer.text(), "unix:@a\\x00b");
}
