#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

bool is_closed_on_exec(const Socket& socket) { return (::fcntl(socket.fd(), F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

TEST(BindingATable, BindsEveryListenerInItsOrder) {
  const auto bound = bind_all({
      .services = {service("one", "echo", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}),
                   service("other", "echo", {"tcp/127.0.0.1:0"})}
  });
  ASSERT_TRUE(bound.has_value());
  ASSERT_EQ(bound->size(), 3U);
  EXPECT_EQ((*bound)[0].service, "one");
  EXPECT_EQ((*bound)[1].service, "one");
  EXPECT_EQ((*bound)[1].address.transport, Transport::udp);
  EXPECT_EQ((*bound)[2].service, "other");
  for (const auto& listener : *bound) {
    EXPECT_NE(local_endpoint(listener.socket)->port(), 0);
    EXPECT_TRUE(is_closed_on_exec(listener.socket));
  }
}

TEST(BindingATable, TellsAllThatFailsAtOnce) {
  const auto taken = listen_at("tcp/127.0.0.1:0"), taken_too = listen_at("udp/127.0.0.1:0");
  const auto one = local_endpoint(taken)->text(), other = local_endpoint(taken_too)->text();
  const auto bound = bind_all({
      .services = {service("first", "echo", {"tcp/" + one, "tcp/127.0.0.1:0"}),
                   service("second", "time", {"udp/" + other, "tcp/192.0.2.1:4000"})}
  });
  ASSERT_FALSE(bound.has_value());
  const auto& errors = bound.error();
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_TRUE(errors[0].starts_with("service first: bind tcp " + one + ": address already in use")) << errors[0];
  EXPECT_TRUE(errors[1].starts_with("service second: bind udp " + other + ": address already in use")) << errors[1];
  EXPECT_TRUE(errors[2].starts_with("service second: bind tcp 192.0.2.1:4000: ")) << errors[2];
}

TEST(BindingATable, LeavesNothingBoundWhenItFails) {
  const auto free_port = local_endpoint(listen_at("tcp/127.0.0.1:0"))->text();
  const auto taken = listen_at("udp/127.0.0.1:0");
  ASSERT_FALSE(
      bind_all({.services = {service("one", "echo", {"tcp/" + free_port, "udp/" + local_endpoint(taken)->text()})}}));
  EXPECT_TRUE(bind_all({.services = {service("one", "echo", {"tcp/" + free_port})}}).has_value());
}

TEST(BindingATable, AddsThePortBase) {
  // A port that was free a moment ago, and its distance from 7.
  const auto port = local_endpoint(listen_at("tcp/127.0.0.1:0"))->port();
  ServiceTable table{.services = {service("echo", "echo", {"tcp/127.0.0.1:7"})}};
  table.port_base = static_cast<std::uint16_t>(port - 7);
  const auto bound = bind_all(table);
  ASSERT_TRUE(bound.has_value()) << bound.error().front();
  EXPECT_EQ(local_endpoint(bound->front().socket)->port(), port);
}
