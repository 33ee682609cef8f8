#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

TEST(CuttingALevel, ShutsDownTheConnectionsOfThoseWhoAreSeated) {
  const auto first = tcp_pair(), second = tcp_pair();
  Level level(4, 4);
  const auto one = level.take(client(1), first.server.fd()), other = level.take(client(2), second.server.fd());
  EXPECT_FALSE(level.is_cut());
  level.cut_all();
  EXPECT_TRUE(level.is_cut());
  EXPECT_TRUE(is_closed_by_peer(first.client));
  EXPECT_TRUE(is_closed_by_peer(second.client));
}

TEST(CuttingALevel, LeavesThoseAloneWhoHaveLeft) {
  const auto pair = tcp_pair();
  Level level(4, 4);
  level.take(client(1), pair.server.fd())->leave();
  level.cut_all();
  ASSERT_TRUE(send_text(pair.server, "still open"));
  EXPECT_EQ(received_text(pair.client), "still open");
}

TEST(CuttingALevel, MeetsWhoTakesASeatAfterwards) {
  const auto pair = tcp_pair();
  Level level(4, 4);
  level.cut_all();
  const auto late = level.take(client(1), pair.server.fd());
  ASSERT_TRUE(late.has_value());
  EXPECT_TRUE(is_closed_by_peer(pair.client));
}

TEST(CuttingALevel, MeetsADescriptorThatIsUsedAgain) {
  Level level(4, 4);
  auto pair = tcp_pair();
  const int fd = pair.server.fd();
  level.take(client(1), fd)->leave();
  const auto again = level.take(client(2), fd);
  level.cut_all();
  EXPECT_TRUE(is_closed_by_peer(pair.client));
}
