#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string complaint_of(std::string_view text) {
  const auto parsed = ListenAddress::parse(text);
  return parsed ? "it was read" : parsed.error().what;
}

}  // namespace

TEST(ARawAddress, HasAProtocolWhereOthersHaveAPort) {
  for (const auto& [text, number] : std::vector<std::pair<std::string, int>>{
           {"raw/icmp",   1  },
           {"raw/igmp",   2  },
           {"raw/253",    253},
           {"raw6/icmp6", 58 },
           {"raw6/58",    58 },
           {"raw/1",      1  }
  }) {
    const auto parsed = address(text);
    EXPECT_EQ(parsed.transport, Transport::raw) << text;
    EXPECT_EQ(parsed.endpoint.port(), number) << text;
    EXPECT_TRUE(parsed.endpoint.is_wildcard()) << text;
    EXPECT_EQ(parsed.endpoint.is_v6(), text.starts_with("raw6")) << text;
  }
}

TEST(ARawAddress, MayBeOneAddressOrOneInterface) {
  EXPECT_EQ(address("raw/127.0.0.1:icmp").endpoint, endpoint("127.0.0.1:1"));
  EXPECT_EQ(address("raw6/[::1]:253").endpoint, endpoint("[::1]:253"));
  const auto on_interface = address("raw/*%eth0:253");
  EXPECT_EQ(on_interface.interface, "eth0");
  EXPECT_EQ(on_interface.endpoint, endpoint("0.0.0.0:253"));
  EXPECT_EQ(address("raw6/[fe80::1%eth0]:icmp6").interface, "eth0");
}

TEST(ARawAddress, NamesWhatIsWrongAndWhatWouldBeRight) {
  EXPECT_NE(complaint_of("raw/0").find("Linux has no such socket"), std::string::npos);
  EXPECT_NE(complaint_of("raw/255").find("only sends"), std::string::npos);
  EXPECT_NE(complaint_of("raw/256").find("1 to 254"), std::string::npos);
  EXPECT_NE(complaint_of("raw/99999999999").find("1 to 254"), std::string::npos);
  EXPECT_NE(complaint_of("raw/").find("the protocol is missing"), std::string::npos);
  EXPECT_NE(complaint_of("raw/127.0.0.1").find("the protocol is missing"), std::string::npos);
  EXPECT_NE(complaint_of("raw/no such").find("/etc/protocols"), std::string::npos);
  EXPECT_NE(complaint_of("raw/icmp6").find("\"raw6/icmp6\""), std::string::npos);
  EXPECT_NE(complaint_of("raw6/igmp").find("\"raw/igmp\""), std::string::npos);
  EXPECT_NE(complaint_of("raw/[::1]:icmp").find("IPv4"), std::string::npos);
  EXPECT_NE(complaint_of("raw6/127.0.0.1:icmp6").find("IPv6"), std::string::npos);
}

TEST(ARawAddress, IsNotMovedByAPortBase) {
  EXPECT_EQ(base_for(address("raw/253"), 10'000), 0);
  EXPECT_EQ(base_for(address("udp/7"), 10'000), 10'000);
  EXPECT_EQ(base_for(address("udp/0"), 10'000), 0);
}
