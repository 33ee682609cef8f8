#include <set>

#include "superd/services/services.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

// But for the one that lets any client keep a thread busy.
TEST(TheBuiltInConfiguration, ServesEveryHarmlessServiceOverTcpAndUdp) {
  const auto table = parsed(default_config());
  EXPECT_EQ(table.port_base, 10'000);
  std::set<std::string_view> handlers;
  for (const auto& service : table.services) {
    handlers.insert(service.handler);
    ASSERT_EQ(service.listen.size(), 2U);
    EXPECT_EQ(service.listen[0].transport, Transport::tcp);
    EXPECT_EQ(service.listen[1].transport, Transport::udp);
  }
  for (const auto& entry : services())
    EXPECT_EQ(handlers.contains(entry.name), entry.name != "slow" && entry.streams) << entry.name;
}

TEST(TheBuiltInConfiguration, IsReachableFromThisMachineAlone) {
  for (const auto& service : parsed(default_config()).services)
    for (const auto& address : service.listen) {
      EXPECT_TRUE(address.endpoint.is_loopback()) << address.text;
      EXPECT_TRUE(address.endpoint.is_v4()) << "a host may have no IPv6: " << address.text;
    }
}

TEST(TheBuiltInConfiguration, HasTheWellKnownPorts) {
  for (const auto& service : parsed(default_config()).services)
    for (const auto& address : service.listen)
      EXPECT_EQ(address.endpoint.port(), port_of(service.name, "tcp").value()) << service.name;
}
