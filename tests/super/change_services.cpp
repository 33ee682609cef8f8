// Services that come, go, move and do something else while a host serves.

#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "tests/super/changing.h"

using namespace superd;
using namespace superd::test;

namespace {

std::vector<std::string> design_names() {
  std::vector<std::string> names;
  for (const auto& entry : designs()) names.emplace_back(entry.name);
  return names;
}
std::string name_of_case(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

class Services : public ::testing::TestWithParam<std::string> {
 protected:
  ServiceSettings echo(std::string name, const std::vector<std::string>& listen = {"tcp/127.0.0.1:0"}) const {
    return service(std::move(name), "echo", listen, design(GetParam()));
  }
};
INSTANTIATE_TEST_SUITE_P(Under, Services, ::testing::ValuesIn(design_names()), name_of_case);

bool is_refused(const Endpoint& where) {
  const Socket client(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(client.fd(), where.address(), where.size()) != 0;
}

bool is_told_the_time(const Socket& client) {
  (void)::shutdown(client.fd(), SHUT_WR);
  return everything_from(client).size() == 4;
}

bool is_at_rest(Changing& changing) {
  return soon([&] { return changing.host.tend() && changing.host.next_tending() == never; });
}

}  // namespace

TEST_P(Services, ComeWhileOthersAreServed) {
  Changing changing({echo("first")});
  const auto old = changing.client(0);
  ASSERT_TRUE(is_echoed(old, "before"));
  changing.table.services.push_back(echo("second", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}));
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_TRUE(is_echoed(old, "after"));
  EXPECT_TRUE(is_echoed(changing.client_of("second"), "new"));
  EXPECT_TRUE(is_echoed(changing.client_of("second", 1, SOCK_DGRAM), "new"));
  EXPECT_TRUE(soon([&] { return changing.named("second")->counters.accepted.value() == 1; }));
  EXPECT_EQ(changing.host.hosted().size(), 2U);
}

TEST_P(Services, GoWhenTheirClientsHaveGone) {
  Changing changing({echo("stays"), echo("goes", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"})});
  const auto where = changing.where("goes");
  auto client = changing.client(1);
  ASSERT_TRUE(is_echoed(client, "before"));
  const std::weak_ptr<HostedService> gone = changing.named("goes");
  changing.table.services.pop_back();
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_EQ(changing.host.hosted().size(), 1U);
  EXPECT_TRUE(is_echoed(client, "still here"));
  EXPECT_EQ(changing.host.level(), 1);
  // Where a worker stands at the door by itself, it takes in who waits after its client, and only then can it close.
  if (GetParam() != "iterative" && !GetParam().starts_with("pre")) {
    EXPECT_TRUE(soon([&] { return changing.host.tend() && is_refused(where); })) << "new clients go elsewhere";
  }
  EXPECT_TRUE(is_echoed(client, "and still"));
  client.reset();
  EXPECT_TRUE(is_at_rest(changing));
  EXPECT_TRUE(is_refused(where));
  EXPECT_TRUE(soon([&] { return gone.expired(); })) << "nothing of it is left";
  EXPECT_TRUE(is_echoed(changing.client(0), "as ever"));
}

TEST_P(Services, ThatGoTakeInWhoWaits) {
  if (GetParam() == "preforked") GTEST_SKIP() << "its workers accept at once";
  auto settings = echo("goes");
  settings.limits.level = settings.limits.per_client = 1;
  Changing changing({echo("stays"), settings});
  auto seated = changing.client(1);
  ASSERT_TRUE(is_echoed(seated, "in"));
  std::vector<Socket> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(changing.client(1));
    ASSERT_TRUE(send_text(waiting.back(), "waited"));
  }
  changing.service(1).limits.level = changing.service(1).limits.per_client = 64;
  ASSERT_EQ(changing.change(), no_complaints);
  changing.table.services.pop_back();
  ASSERT_EQ(changing.change(), no_complaints);
  seated.reset();
  for (auto& client : waiting) {
    EXPECT_EQ(received_text(client), "waited");
    client.reset();
  }
  EXPECT_TRUE(is_at_rest(changing));
}

TEST_P(Services, GoOnUnderAnotherHandlerWithTheirCounts) {
  Changing changing({echo("it", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"})});
  auto old = changing.client(0);
  ASSERT_TRUE(is_echoed(old, "before"));
  changing.service().handler = "time";
  ASSERT_EQ(changing.change(), no_complaints);
  if (GetParam() == "iterative") old.reset();
  // A worker of preforked that has not noticed yet takes one client more, with the handler that it was forked with.
  EXPECT_TRUE(soon([&] { return is_told_the_time(changing.client(0)); }));
  if (old.is_open()) {
    EXPECT_TRUE(is_echoed(old, "an echo to its end"));
  }
  EXPECT_TRUE(soon([&] {
    const auto asking = changing.client(1);
    return send_text(asking, "what time is it?") && received_text(asking).value_or("").size() == 4;
  }));
  EXPECT_GE(changing.hosted().counters.accepted.value(), 2U) << "it goes on counting";
  changing.service().handler = "echo";
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_TRUE(soon([&] { return is_echoed(changing.client(0), "as before"); }));
}

TEST_P(Services, GoElsewhereWithTheirCounts) {
  Changing changing({echo("stays"), echo("it")});
  const auto before = changing.where("it");
  auto old = changing.client(1);
  ASSERT_TRUE(is_echoed(old, "before"));
  changing.service(1).listen = {address("tcp/[::1]:0"), address("udp/127.0.0.1:0")};
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_TRUE(is_echoed(old, "after"));
  if (GetParam() == "iterative") old.reset();
  EXPECT_TRUE(is_echoed(changing.client_of("it"), "there"));
  EXPECT_TRUE(is_echoed(changing.client_of("it", 1, SOCK_DGRAM), "there"));
  old.reset();
  EXPECT_TRUE(is_at_rest(changing));
  EXPECT_TRUE(is_refused(before));
  EXPECT_EQ(changing.named("it")->counters.accepted.value(), 2U);
}

TEST_P(Services, KeepWhatStaysOfTheirAddresses) {
  Changing changing({echo("it")});
  const auto there = changing.where("it");
  changing.service().listen.push_back(address("udp/127.0.0.1:0"));
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_EQ(changing.where("it"), there);
  EXPECT_TRUE(is_echoed(changing.client(0), "the same door"));
  EXPECT_TRUE(is_echoed(changing.client_of("it", 1, SOCK_DGRAM), "and another"));
  changing.service().listen.pop_back();
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_EQ(changing.host.sockets().size(), 1U);
  EXPECT_TRUE(is_echoed(changing.client(0), "the same door"));
}

TEST_P(Services, HandASocketOverWithWhoWaitsAtIt) {
  if (GetParam().starts_with("pre")) GTEST_SKIP() << "a worker that waits for a place has accepted a client already";
  // A fixed port, so that the place is the same for both: one that was free a moment ago.
  const auto free = local_endpoint(listen_at("tcp/127.0.0.1:0")).value().port();
  const auto place = "tcp/127.0.0.1:" + std::to_string(free);
  auto from = echo("from", {place});
  from.limits.level = from.limits.per_client = 1;
  Changing changing({from});
  auto seated = changing.client(0);
  ASSERT_TRUE(is_echoed(seated, "in"));
  std::vector<Socket> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(changing.client(0));
  changing.table.services = {service("to", "time", {place}, design(GetParam()))};
  ASSERT_EQ(changing.change(), no_complaints);
  for (const auto& client : waiting) EXPECT_EQ(everything_from(client).size(), 4U);
  EXPECT_TRUE(is_echoed(seated, "an echo to its end"));
  EXPECT_EQ(everything_from(changing.client(0)).size(), 4U);
}

TEST(TheServices, UnderOneDesignDoNotNoticeEachOther) {
  for (const auto* name : {"adaptive", "event"}) {
    std::vector<ServiceSettings> many;
    for (int i = 0; i < 5; ++i)
      many.push_back(service("echo" + std::to_string(i), "echo", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}, design(name)));
    Changing changing(many);
    std::vector<Socket> clients;
    for (std::size_t i = 0; i < many.size(); ++i) clients.push_back(changing.client(2 * i));
    for (const auto& client : clients) ASSERT_TRUE(is_echoed(client, "before"));
    ASSERT_EQ(changing.host.reports().size(), 1U);
    // Of more changes than designs may be retired, while all who are in stay.
    for (int round = 0; round < 300; ++round) {
      auto& table = changing.table.services;
      switch (round % 4) {
        case 0: table.push_back(service("guest", "time", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}, design(name))); break;
        case 1: table.back().listen = {address("tcp/[::1]:0")}; break;
        case 2: table.back().handler = "daytime"; break;
        default: table.pop_back();
      }
      ASSERT_EQ(changing.change(), no_complaints) << round;
      if (round % 4 == 1) {
        ASSERT_EQ(everything_from(changing.client_of("guest")).size(), 4U);
      }
      ASSERT_EQ(changing.host.reports().size(), 1U) << "one design for all, the same as ever";
    }
    for (const auto& client : clients) EXPECT_TRUE(is_echoed(client, "after"));
    EXPECT_TRUE(soon([&] { return changing.host.tend() && changing.host.next_tending() == never; }));
    EXPECT_EQ(changing.host.sockets().size(), 10U);
  }
}

TEST(TheServices, BecomeProgramsAndHandlersAgain) {
  Changing changing({service("it", "echo", {"tcp/127.0.0.1:0"})});
  const auto old = changing.client(0);
  ASSERT_TRUE(is_echoed(old, "before"));
  const auto echo = changing.service();
  changing.service().program.launch.words = {"/bin/echo", "hello"};
  changing.service().handler.clear();
  changing.service().design = design("processes");
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_EQ(everything_from(changing.client(0)), "hello\n");
  changing.service().program.launch.words = {"/bin/echo", "good day"};
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_EQ(everything_from(changing.client(0)), "good day\n");
  changing.service() = echo;
  ASSERT_EQ(changing.change(), no_complaints);
  EXPECT_TRUE(is_echoed(changing.client(0), "an echo again"));
  EXPECT_TRUE(is_echoed(old, "all the while"));
  EXPECT_EQ(changing.hosted().counters.accepted.value(), 4U);
}

TEST_P(Services, AnswerNoneOfTheOwnPortsThatCameLater) {
  Changing changing({echo("one", {"udp/127.0.0.1:0"})});
  changing.table.services.push_back(echo("other", {"udp/127.0.0.1:0"}));
  ASSERT_EQ(changing.change(), no_complaints);
  // Two echo services whose ports a forger lets talk with each other.
  int forger = -1;
  for (const auto& socket : changing.host.sockets())
    if (socket.service == "other") forger = socket.fd;
  const auto victim = changing.where("one");
  ASSERT_EQ(::sendto(forger, "ping", 4, 0, victim.address(), victim.size()), 4);
  EXPECT_TRUE(soon([&] { return changing.named("one")->counters.dropped_source.value() == 1; }));
}

TEST(TheServices, OfTheCallersOwnStayThroughEveryChange) {
  Notes notes;
  Host host;
  const auto own = service("own", "own", {"tcp/127.0.0.1:0"});
  Bound bound({.services = {own}});
  ASSERT_TRUE(host.serve(own,
                         std::make_shared<Scripted>(notes,
                                                    [](Connection& client, Notes&) -> task<> {
                                                      while (auto chunk = co_await client.read())
                                                        if (!co_await client.write(chunk)) break;
                                                    }),
                         std::move(bound.listeners))
                  .has_value());
  const ServiceTable wanted{.services = {service("time", "time", {"tcp/127.0.0.1:0"})}};
  Bound later(wanted);
  EXPECT_EQ(host.change(wanted, std::move(later.listeners)), no_complaints);
  EXPECT_TRUE(is_echoed(bound.client(), "here"));
  EXPECT_EQ(everything_from(later.client()).size(), 4U);
  EXPECT_EQ(host.change({}), no_complaints);
  EXPECT_TRUE(is_echoed(bound.client(), "still here"));
  EXPECT_EQ(host.hosted().size(), 1U);
}

TEST(AService, CountsOnTheBoardThatItIsGiven) {
  const auto board = std::make_shared<const Scoreboard>("it");
  board->counters().accepted.add(41);
  Host host;
  host.use_board("it", board);
  const ServiceTable table{.services = {service("it", "echo", {"tcp/127.0.0.1:0"})}};
  Bound bound(table);
  ASSERT_TRUE(host.serve(table, std::move(bound.listeners)).has_value());
  EXPECT_TRUE(is_echoed(bound.client(), "hello"));
  EXPECT_EQ(board->counters().accepted.value(), 42U);
}
