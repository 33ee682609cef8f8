#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {
ClientKey key(std::string_view text) { return ClientKey::of(endpoint(text)); }
ClientKey prefix(std::string_view text) { return ClientKey::prefix_of(endpoint(text)); }
}  // namespace

TEST(AClientKey, IsTheWholeIpv4Address) {
  EXPECT_EQ(key("10.0.0.1:1"), key("10.0.0.1:2"));
  EXPECT_NE(key("10.0.0.1:1"), key("10.0.0.2:1"));
}

TEST(AClientKey, IsTheSameForAMappedAddress) { EXPECT_EQ(key("[::ffff:10.0.0.1]:1"), key("10.0.0.1:1")); }

TEST(AClientKey, IsTheFirstHalfOfAnIpv6Address) {
  EXPECT_EQ(key("[2001:db8::1]:1"), key("[2001:db8::2]:1"));
  EXPECT_NE(key("[2001:db8::1]:1"), key("[2001:db8:0:1::1]:1"));
}

TEST(AClientKey, TellsLinkLocalNeighboursApart) { EXPECT_NE(key("[fe80::1]:1"), key("[fe80::2]:1")); }

TEST(AClientKey, IsTheUserOverAUnixSocket) {
  EXPECT_NE(ClientKey::of_user(0), ClientKey::of_user(1));
  EXPECT_NE(ClientKey::of_user(0), key("0.0.0.0:1"));
  EXPECT_NE(ClientKey::of_user(0), key("[::1]:1"));
  EXPECT_NE(ClientKey::of_user(0), key("unix:/x"));
}

TEST(AClientPrefix, IsA24OrA56) {
  EXPECT_EQ(prefix("10.0.0.1:1"), prefix("10.0.0.255:9"));
  EXPECT_EQ(prefix("10.0.0.1:1"), prefix("[::ffff:10.0.0.7]:9"));
  EXPECT_NE(prefix("10.0.0.1:1"), prefix("10.0.1.1:1"));
  EXPECT_EQ(prefix("[2001:db8:0:100::1]:1"), prefix("[2001:db8:0:1ff::1]:1"));
  EXPECT_NE(prefix("[2001:db8:0:100::1]:1"), prefix("[2001:db8:0:200::1]:1"));
}

TEST(AClientPrefix, IsNoClient) {
  EXPECT_NE(prefix("10.0.0.0:1"), key("10.0.0.0:1"));
  EXPECT_NE(prefix("[2001:db8::1]:1"), key("[2001:db8::1]:1"));
  EXPECT_NE(prefix("[::1]:1"), key("[::1]:1"));
  EXPECT_NE(prefix("[fe80::1]:1"), key("[fe80::1]:1"));
  EXPECT_FALSE(ClientKey::of_user(7).has_prefix());
  EXPECT_TRUE(key("10.0.0.0:1").has_prefix());
}
