#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {
bool holds(std::string_view network, std::string_view client) {
  return Network::parse(network)->holds(endpoint(client));
}
}  // namespace

TEST(ANetwork, HoldsWhatBeginsWithItsBits) {
  EXPECT_TRUE(holds("127.0.0.0/8", "127.255.0.1:7"));
  EXPECT_FALSE(holds("127.0.0.0/8", "128.0.0.1:7"));
  EXPECT_TRUE(holds("10.1.2.0/23", "10.1.3.255:7"));
  EXPECT_FALSE(holds("10.1.2.0/23", "10.1.4.0:7"));
  EXPECT_TRUE(holds("10.0.0.1", "10.0.0.1:7"));
  EXPECT_FALSE(holds("10.0.0.1", "10.0.0.2:7"));
  EXPECT_TRUE(holds("2001:db8::/33", "[2001:db8:7fff::1]:7"));
  EXPECT_FALSE(holds("2001:db8::/33", "[2001:db8:8000::1]:7"));
  EXPECT_TRUE(holds("2001:db8::/97", "[2001:db8::7fff:ffff]:7"));
  EXPECT_FALSE(holds("2001:db8::/97", "[2001:db8::8000:0]:7"));
}

TEST(ANetwork, CountsMappedAddressesAsIpv4) {
  EXPECT_TRUE(holds("127.0.0.0/8", "[::ffff:127.0.0.1]:7"));
  EXPECT_TRUE(holds("0.0.0.0/0", "[::ffff:1.2.3.4]:7"));
  EXPECT_FALSE(holds("0.0.0.0/0", "[::1]:7"));
}

TEST(ANetwork, OfAllIpv6HoldsNoIpv4) {
  EXPECT_TRUE(holds("::/0", "[2001:db8::1]:7"));
  EXPECT_FALSE(holds("::/0", "1.2.3.4:7"));
  EXPECT_FALSE(holds("::/0", "[::ffff:1.2.3.4]:7"));
}

TEST(ANetwork, HoldsNoUnixPeer) { EXPECT_FALSE(holds("0.0.0.0/0", "unix:/x")); }

TEST(ANetwork, PrintsAsItIsParsed) {
  for (const auto* text : {"127.0.0.0/8", "0.0.0.0/0", "10.0.0.1", "::1", "::/0", "2001:db8::/32", "fe80::/10"}) {
    const auto network = Network::parse(text);
    ASSERT_TRUE(network) << network.error().what;
    EXPECT_EQ(network->text(), text);
  }
  EXPECT_EQ(Network::parse("10.0.0.1/32"), Network::parse("10.0.0.1"));
}

TEST(ANetwork, IsParsedStrictly) {
  for (const auto* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8x",
                           "10.0.0.0/8/8", "10.0/8", "localhost", "fe80::1%lo"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(ANetwork, WithBitsBehindItsPrefixIsCorrected) {
  const auto refused = Network::parse("10.1.2.3/8");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("write \"10.0.0.0/8\""), std::string::npos) << refused.error().what;
}
