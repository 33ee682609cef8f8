#include "superd/lab/ping_targets.h"

#include <gtest/gtest.h>

#include <cerrno>

using namespace superd;

namespace {

PingTargets targets(const std::vector<std::string>& words, Family family = Family::any) {
  auto read = PingTargets::of(words, family);
  EXPECT_TRUE(read) << (read ? "" : read.error().what);
  return read.value_or(PingTargets{});
}

std::string refused(const std::string& word, Family family = Family::any) {
  const auto read = PingTargets::of({&word, 1}, family);
  return read ? "taken" : read.error().code == EINVAL ? read.error().what : "no misuse: " + read.error().what;
}

}  // namespace

TEST(PingTargets, OfANetworkAreItsHosts) {
  const auto hosts = targets({"192.0.2.0/24"});
  EXPECT_EQ(hosts.size(), 254U);
  EXPECT_EQ(text_of(hosts[0]), "192.0.2.1");
  EXPECT_EQ(text_of(hosts[253]), "192.0.2.254");
  EXPECT_TRUE(hosts.has_network());
  EXPECT_EQ(targets({"192.0.2.0/31"}).size(), 2U);
  EXPECT_EQ(targets({"192.0.2.7/32"}).size(), 1U);
  EXPECT_EQ(targets({"10.1.0.0/16"}).size(), 65'534U);
}

TEST(PingTargets, OfAnIpv6NetworkAreAllAddresses) {
  const auto hosts = targets({"2001:db8::ff00/120"});
  EXPECT_EQ(hosts.size(), 256U);
  EXPECT_EQ(text_of(hosts[0]), "2001:db8::ff00");
  EXPECT_EQ(text_of(hosts[255]), "2001:db8::ffff");
}

TEST(PingTargets, AreNumberedInTheOrderOfTheWords) {
  const auto hosts = targets({"::1", "10.0.0.0/30", "127.0.0.1"});
  ASSERT_EQ(hosts.size(), 4U);
  EXPECT_EQ(text_of(hosts[0]), "::1");
  EXPECT_EQ(text_of(hosts[2]), "10.0.0.2");
  EXPECT_EQ(text_of(hosts[3]), "127.0.0.1");
  EXPECT_TRUE(hosts.has_v4() && hosts.has_v6());
  for (std::uint32_t i = 0; i < hosts.size(); ++i) EXPECT_EQ(hosts.index_of(hosts[i]), i);
  EXPECT_EQ(hosts.index_of({0, 5}), std::nullopt);
  EXPECT_EQ(hosts.index_of(hosts[2] + 1), std::nullopt);
}

TEST(PingTargets, MayBeNames) {
  const auto hosts = targets({"localhost"}, Family::v4);
  EXPECT_EQ(hosts.name_of(0), "localhost (127.0.0.1)");
  EXPECT_FALSE(hosts.has_network());
}

TEST(PingTargets, ThatCannotBeAreRefusedWithTheRemedy) {
  EXPECT_NE(refused("10.0.0.1/8").find("10.0.0"), std::string::npos);
  EXPECT_NE(refused("10.0.0.0/7").find("name smaller networks"), std::string::npos);
  EXPECT_NE(refused("2001:db8::/64").find("name smaller networks"), std::string::npos);
  EXPECT_NE(refused("::1", Family::v4).find("no IPv4 address"), std::string::npos);
  const std::vector<std::string> two{"10.0.0.0/8", "11.0.0.0/24"};
  EXPECT_NE(PingTargets::of(two, Family::any).error().what.find("name fewer"), std::string::npos);
}

TEST(AProbeAddress, CountsAcrossTheBordersOfWords) {
  const AddressBits last{1, ~std::uint64_t{0}};
  EXPECT_EQ(last + 1, (AddressBits{2, 0}));
  EXPECT_EQ(distance(last, {2, 3}), 4U);
  EXPECT_EQ(distance({2, 3}, last), ~std::uint64_t{0}) << "it lies before";
  EXPECT_EQ(distance({0, 0}, {5, 0}), ~std::uint64_t{0});
  EXPECT_EQ(bits_of(probe_address({1, 2}, 0)), (AddressBits{1, 2}));
}
