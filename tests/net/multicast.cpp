#include "superd/net/multicast.h"

#include <gtest/gtest.h>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

Membership membership(std::string_view text) {
  auto parsed = Membership::parse(text);
  if (!parsed) throw std::runtime_error(parsed.error().what);
  return *parsed;
}

Endpoint at(std::string_view text) { return Endpoint::parse(text).value(); }

}  // namespace

TEST(AGroup, HasASourceAndAnInterfaceWhereTheyAreWritten) {
  const auto plain = membership("239.1.2.3");
  EXPECT_EQ(plain.group.address_text(), "239.1.2.3");
  EXPECT_FALSE(plain.source);
  EXPECT_EQ(plain.interface, "");
  const auto whole = membership("10.0.0.5@232.1.1.1%eth0");
  EXPECT_EQ(whole.group.address_text(), "232.1.1.1");
  EXPECT_EQ(whole.source->address_text(), "10.0.0.5");
  EXPECT_EQ(whole.interface, "eth0");
  EXPECT_EQ(membership("ff15::1234%a-link").interface, "a-link") << "whether or not it is there yet";
}

TEST(AGroup, IsAMulticastAddress) {
  for (const std::string_view wrong :
       {"", "10.0.0.1", "240.0.0.1", "fe80::1", "255.255.255.255", "239.1.2.3%", "x@239.1.2.3", "239.1.1.1@239.1.2.3",
        "::1@239.1.2.3", "239.1.2.3:7", "eth0", "239.1.2.3%aaaaaaaaaaaaaaaa"})
    EXPECT_FALSE(Membership::parse(wrong)) << wrong;
  EXPECT_NE(Membership::parse("10.0.0.1").error().what.find("224.0.0.0/4"), std::string::npos);
}

TEST(AGroup, IsHeardByWhoIsBoundToEveryAddressOrToIt) {
  const auto v4 = membership("239.1.2.3"), v6 = membership("ff15::1");
  EXPECT_TRUE(can_join(at("0.0.0.0:7"), v4));
  EXPECT_TRUE(can_join(at("[::]:7"), v4)) << "a socket of both versions";
  EXPECT_TRUE(can_join(at("[::]:7"), v6));
  EXPECT_TRUE(can_join(at("239.1.2.3:7"), v4));
  EXPECT_FALSE(can_join(at("0.0.0.0:7"), v6));
  EXPECT_FALSE(can_join(at("127.0.0.1:7"), v4));
  EXPECT_FALSE(can_join(at("239.1.2.4:7"), v4));
  EXPECT_FALSE(can_join(at("[::1]:7"), v6));
}
