#include <ifaddrs.h>

#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// An address of an interface that is not the loopback, or nothing where there is none.
std::optional<Endpoint> outer_address(std::uint16_t port) {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return std::nullopt;
  std::optional<Endpoint> found;
  for (const auto* entry = first; entry && !found; entry = entry->ifa_next) {
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET) continue;
    auto own = Endpoint::from(entry->ifa_addr, sizeof(sockaddr_in));
    own.set_port(port);
    if (!own.is_loopback()) found = own;
  }
  ::freeifaddrs(first);
  return found;
}

class AnAnswerGuard : public ::testing::Test {
 protected:
  AnAnswerGuard() { ports->add(10007); }

  AnswerGuard::Verdict verdict(const Endpoint& from, std::string_view to = "127.0.0.1:0") {
    return guard.judge(from, endpoint(to), Time{});
  }
  AnswerGuard::Verdict verdict(std::string_view from, std::string_view to = "127.0.0.1:0") {
    return verdict(endpoint(from), to);
  }

  std::shared_ptr<OwnPorts> ports = std::make_shared<OwnPorts>();
  AnswerGuard guard{Limits{}, ports};
  static constexpr auto answer = AnswerGuard::Verdict::answer, bad = AnswerGuard::Verdict::bad_source;
};

}  // namespace

TEST_F(AnAnswerGuard, AnswersAnOrdinaryClient) {
  EXPECT_EQ(verdict("192.0.2.1:40000"), answer);
  EXPECT_EQ(verdict("[2001:db8::1]:40000"), answer);
  EXPECT_EQ(verdict("127.0.0.1:40000"), answer);
}

TEST_F(AnAnswerGuard, AnswersNoPortWhoseServiceWouldAnswerBack) {
  for (const auto* port : {"0", "7", "9", "11", "13", "17", "19", "37", "53", "69", "123"}) {
    EXPECT_EQ(verdict("192.0.2.1:" + std::string(port)), bad) << port;
    EXPECT_EQ(verdict("[2001:db8::1]:" + std::string(port)), bad) << port;
    EXPECT_EQ(verdict("127.0.0.1:" + std::string(port)), bad) << "trusted, and yet a loop, " << port;
  }
}

TEST_F(AnAnswerGuard, AnswersNoGroupAndNoBroadcastAndNobody) {
  for (const auto* source : {"224.0.0.1:4000", "239.255.255.250:4000", "[ff02::1]:4000", "255.255.255.255:4000",
                             "0.0.0.0:4000", "[::]:4000", "[::ffff:224.0.0.1]:4000"})
    EXPECT_EQ(verdict(source), bad) << source;
}

TEST_F(AnAnswerGuard, AnswersNoneOfOurPortsAtOurAddresses) {
  EXPECT_EQ(verdict("127.0.0.1:10007"), bad);
  EXPECT_EQ(verdict("127.9.9.9:10007"), bad);
  EXPECT_EQ(verdict("[::1]:10007"), bad);
  EXPECT_EQ(verdict("[::ffff:127.0.0.1]:10007"), bad);
  EXPECT_EQ(verdict("192.0.2.1:10007", "192.0.2.1:0"), bad) << "the address the datagram was sent to is ours";
  EXPECT_EQ(verdict("192.0.2.1:10007", "[::ffff:192.0.2.1]:0"), bad) << "on a socket of both families too";
}

TEST_F(AnAnswerGuard, AnswersNoneOfOurPortsAtAnotherInterfaceOfOurs) {
  const auto own = outer_address(10007);
  if (!own) GTEST_SKIP() << "this machine has the loopback alone";
  EXPECT_EQ(verdict(*own), bad);
}

TEST_F(AnAnswerGuard, AnswersOurPortsAtAddressesOfOthers) {
  EXPECT_EQ(verdict("192.0.2.1:10007"), answer);
  EXPECT_EQ(verdict("[2001:db8::1]:10007"), answer);
}

TEST_F(AnAnswerGuard, AnswersAPortThatIsOursNoMore) {
  ports->remove(10007);
  EXPECT_EQ(verdict("127.0.0.1:10007"), answer);
}

TEST(OurPorts, ChangeAllAtOnce) {
  OwnPorts ports;
  for (const std::uint16_t port : {7, 63, 64, 65535}) ports.add(port);
  ports.change(std::array<std::uint16_t, 3>{
      {63, 1000, 65535}
  });
  for (const std::uint16_t port : {63, 1000, 65535}) EXPECT_TRUE(ports.has(port)) << port;
  for (const std::uint16_t port : {7, 64, 1001}) EXPECT_FALSE(ports.has(port)) << port;
}

TEST(OurPorts, AreKnownOneByOne) {
  OwnPorts ports;
  for (const std::uint16_t port : {0, 63, 64, 65535}) ports.add(port);
  for (const std::uint16_t port : {0, 63, 64, 65535}) EXPECT_TRUE(ports.has(port)) << port;
  for (const std::uint16_t port : {1, 62, 65, 127, 128, 65534}) EXPECT_FALSE(ports.has(port)) << port;
  ports.remove(64);
  EXPECT_FALSE(ports.has(64));
  EXPECT_TRUE(ports.has(63));
}
