#include <netdb.h>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class AServiceName : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!::getservbyname("daytime", "udp")) GTEST_SKIP() << "the services database has no daytime";
  }
};

std::string why_not(std::string_view service, std::string_view transport) {
  const auto port = port_of(service, transport);
  return port ? "known: " + std::to_string(*port) : port.error().what;
}

}  // namespace

TEST_F(AServiceName, StandsForItsPort) {
  EXPECT_EQ(port_of("daytime", "tcp"), 13);
  EXPECT_EQ(port_of("daytime", "udp"), 13);
  EXPECT_EQ(address("udp/127.0.0.1:daytime").endpoint, endpoint("127.0.0.1:13"));
  EXPECT_EQ(address("tcp/daytime").endpoint.port(), 13);
}

TEST_F(AServiceName, MayBeAnAlias) { EXPECT_EQ(port_of("timserver", "tcp"), 37); }

TEST_F(AServiceName, ThatIsMistypedBringsTheNearest) {
  EXPECT_NE(why_not("dayitme", "tcp").find("did you mean \"daytime\"?"), std::string::npos)
      << why_not("dayitme", "tcp");
  EXPECT_NE(why_not("no-such-service-at-all", "tcp").find("write the number"), std::string::npos);
}

TEST_F(AServiceName, OfTheOtherTransportIsSaid) {
  if (!::getservbyname("ssh", "tcp") || ::getservbyname("ssh", "udp")) GTEST_SKIP() << "ssh is not for tcp alone here";
  EXPECT_NE(why_not("ssh", "udp").find("only for tcp: write the number 22"), std::string::npos)
      << why_not("ssh", "udp");
}

TEST(AServiceNumber, IsAPort) {
  EXPECT_EQ(port_of("0", "tcp"), 0);
  EXPECT_EQ(port_of("65535", "tcp"), 65535);
  for (const auto* text : {"", "65536", "99999999999", "013", "1 ", "\n", "1/tcp"})
    EXPECT_FALSE(port_of(text, "tcp")) << text;
}
