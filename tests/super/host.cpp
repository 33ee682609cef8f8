#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

void expect_echo(const Socket& client) {
  ASSERT_TRUE(send_text(client, "hello"));
  EXPECT_EQ(received_text(client), "hello");
}

}  // namespace

TEST(AHost, ServesATable) {
  const ServiceTable table{
      .services = {service("echo", "echo", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}),
                   service("mirror", "echo", {"tcp/127.0.0.1:0"}, {.design = "threads"}),
                   service("clock", "time", {"tcp/127.0.0.1:0"}, {.design = "iterative"}),
                   service("pool", "daytime", {"udp/127.0.0.1:0"}, {.design = "prethreaded"})}
  };
  Bound bound(table);
  Host host;
  const auto served = host.serve(table, std::move(bound.listeners));
  ASSERT_TRUE(served.has_value()) << served.error().what;
  expect_echo(bound.client(0));
  expect_echo(bound.client(1));
  expect_echo(bound.client(2));
  EXPECT_EQ(everything_from(bound.client(3)).size(), 4U);
  const auto asking = bound.client(4);
  ASSERT_TRUE(send_text(asking, ""));
  EXPECT_EQ(received_text(asking)->size(), 26U);
  ASSERT_EQ(host.hosted().size(), 4U);
  EXPECT_EQ(host.hosted()[1]->name, "mirror");
  EXPECT_EQ(host.hosted()[1]->counters.accepted.value(), 1U);
}

TEST(AHost, ServesAGroupOfServicesOnOneThread) {
  auto one = service("one", "echo", {"tcp/127.0.0.1:0"}, {.design = "iterative"});
  auto other = service("other", "time", {"tcp/127.0.0.1:0"}, {.design = "iterative"});
  one.group = other.group = "together";
  const ServiceTable table{
      .services = {one, other}
  };
  Bound bound(table);
  Host host;
  ASSERT_TRUE(host.serve(table, std::move(bound.listeners)).has_value());
  auto busy = bound.client(0);
  expect_echo(busy);
  // The one thread is with that client.
  const auto waiting = bound.client(1);
  EXPECT_EQ(host.hosted()[1]->counters.accepted.value(), 0U);
  busy.reset();
  EXPECT_EQ(everything_from(waiting).size(), 4U);
}

TEST(AHost, MayServeOneServiceAfterAnother) {
  Host host;
  for (int i = 0; i < 3; ++i) {
    const auto settings = service("echo " + std::to_string(i), "echo", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"});
    Bound bound({.services = {settings}});
    const auto served = host.serve({.services = {settings}}, std::move(bound.listeners));
    ASSERT_TRUE(served.has_value()) << served.error().what;
    expect_echo(bound.client(0));
    expect_echo(bound.client(1));
  }
}

TEST(AHost, SaysWhichHandlerThereIsNot) {
  const ServiceTable table{.services = {service("own", "ecco", {"tcp/127.0.0.1:0"})}};
  Bound bound(table);
  Host host;
  const auto served = host.serve(table, std::move(bound.listeners));
  ASSERT_FALSE(served.has_value());
  EXPECT_EQ(served.error().what, "service own: no handler is called \"ecco\"");
}

TEST(AHost, AnswersNoneOfItsOwnPorts) {
  // Two echo services whose ports a forger lets talk with each other.
  const ServiceTable table{
      .services = {service("one", "echo", {"udp/127.0.0.1:0"}, {.design = "iterative"}),
                   service("other", "echo", {"udp/127.0.0.1:0"}, {.design = "threads"})}
  };
  Bound bound(table);
  const Socket forger(::dup(bound.listeners[1].socket.fd()));
  const auto victim = bound.where[0];
  Host host;
  ASSERT_TRUE(host.serve(table, std::move(bound.listeners)).has_value());
  ASSERT_EQ(::sendto(forger.fd(), "ping", 4, 0, victim.address(), victim.size()), 4);
  EXPECT_TRUE(soon([&] { return host.hosted()[0]->counters.dropped_source.value() == 1; }));
  expect_echo(bound.client(0));
  expect_echo(bound.client(1));
  EXPECT_EQ(host.hosted()[1]->counters.received.value(), 1U);
}

TEST(AHost, ThatServesNothingEnds) {
  Host host;
  EXPECT_EQ(host.level(), 0);
  EXPECT_TRUE(host.close());
}
