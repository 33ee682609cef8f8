// Other designs and limits while a host serves.

#include <algorithm>

#include "superd/engines/engines.h"
#include "tests/super/changing.h"

using namespace superd;
using namespace superd::test;

namespace {

std::vector<std::string> design_names() {
  std::vector<std::string> names;
  for (const auto& entry : designs()) names.emplace_back(entry.name);
  return names;
}

using Pair = std::tuple<std::string, std::string>;
std::string name_of_pair(const ::testing::TestParamInfo<Pair>& info) {
  return std::get<0>(info.param) + "_to_" + std::get<1>(info.param);
}
std::string name_of_case(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

Changing echo_under(const std::string& name, const Limits& limits = {}) {
  auto settings = service("echo", "echo", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}, design(name));
  settings.limits = limits;
  return Changing({settings});
}

class AChangeBetween : public ::testing::TestWithParam<Pair> {};
INSTANTIATE_TEST_SUITE_P(Designs, AChangeBetween,
                         ::testing::Combine(::testing::ValuesIn(design_names()), ::testing::ValuesIn(design_names())),
                         name_of_pair);

class AChangeUnder : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Design, AChangeUnder, ::testing::ValuesIn(design_names()), name_of_case);

}  // namespace

TEST_P(AChangeBetween, GoesOnWithWhoIsInAndTakesOthersIn) {
  const auto& [from, to] = GetParam();
  auto changing = echo_under(from);
  auto old = changing.client(0);
  ASSERT_TRUE(is_echoed(old, "before"));
  changing.service().design = design(to);
  EXPECT_EQ(changing.change(), no_complaints);
  EXPECT_TRUE(is_echoed(old, "after"));
  // The same design serves who comes, one after the other.
  if (from == to && from == "iterative") old.reset();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_echoed(changing.client(0), "new"));
    EXPECT_TRUE(is_echoed(changing.client(1), "datagram"));
  }
  if (old.is_open()) {
    EXPECT_TRUE(is_echoed(old, "still"));
    old.reset();
  }
  EXPECT_TRUE(soon([&] { return changing.hosted().level.count() == 0; }));
  EXPECT_EQ(changing.hosted().counters.accepted.value(), 4U);
  EXPECT_TRUE(soon([&] { return changing.hosted().counters.answered.value() == 3; }));
  EXPECT_EQ(drain(changing.host, Millis{0}, {}).cut, 0);
}

TEST(AChange, ThroughAllDesignsKeepsAConnectionOfEach) {
  auto changing = echo_under("adaptive");
  std::vector<Socket> clients;
  for (const auto& name : design_names()) {
    changing.service().design = design(name);
    ASSERT_EQ(changing.change(), no_complaints) << name;
    clients.push_back(changing.client(0));
    ASSERT_TRUE(is_echoed(clients.back(), name));
  }
  for (const auto& client : clients) EXPECT_TRUE(is_echoed(client, "still there"));
  EXPECT_EQ(changing.hosted().level.count(), static_cast<int>(clients.size()));
  clients.clear();
  EXPECT_TRUE(soon([&] { return changing.hosted().level.count() == 0; }));
  EXPECT_EQ(changing.hosted().counters.served.value(), designs().size());
  EXPECT_TRUE(soon([&] {
    EXPECT_TRUE(changing.host.tend());
    return changing.host.next_tending() == never;
  })) << "designs that serve nobody end";
}

TEST(AChange, ServesWhoWasInTheBacklog) {
  auto changing = echo_under("iterative");
  const auto busy = changing.client(0);
  ASSERT_TRUE(is_echoed(busy, "busy"));
  std::vector<Socket> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(changing.client(0));
    ASSERT_TRUE(send_text(waiting.back(), "waited"));
  }
  changing.service().design = design("threads");
  EXPECT_EQ(changing.change(), no_complaints);
  for (const auto& client : waiting) EXPECT_EQ(received_text(client), "waited");
  EXPECT_TRUE(is_echoed(busy, "and on"));
}

TEST(AChange, OfOneServiceDoesNotTouchAnother) {
  Changing changing({service("one", "echo", {"tcp/127.0.0.1:0"}, design("threads")),
                     service("other", "echo", {"tcp/127.0.0.1:0"}, design("iterative"))});
  const auto one = changing.client(0), other = changing.client(1);
  ASSERT_TRUE(is_echoed(one, "one"));
  ASSERT_TRUE(is_echoed(other, "other"));
  changing.service(0).design = design("delayed");
  EXPECT_EQ(changing.change(), no_complaints);
  EXPECT_TRUE(is_echoed(one, "one"));
  EXPECT_TRUE(is_echoed(other, "other"));
  EXPECT_TRUE(is_echoed(changing.client(0), "next"));
}

TEST(AChange, TakesServicesOfAGroupApart) {
  auto one = service("one", "echo", {"tcp/127.0.0.1:0"}, design("iterative"));
  auto other = service("other", "time", {"tcp/127.0.0.1:0"}, design("iterative"));
  one.group = other.group = "together";
  Changing changing({one, other});
  const auto busy = changing.client(0);
  ASSERT_TRUE(is_echoed(busy, "busy"));
  const auto waiting = changing.client(1);
  EXPECT_EQ(changing.hosted(1).counters.accepted.value(), 0U);
  changing.service(0).group = changing.service(1).group = "";
  EXPECT_EQ(changing.change(), no_complaints);
  EXPECT_EQ(everything_from(waiting).size(), 4U);
  EXPECT_TRUE(is_echoed(busy, "still busy"));
}

TEST_P(AChangeUnder, OfTheLevelLetsAWaitingClientIn) {
  if (GetParam() == "iterative") GTEST_SKIP() << "it serves one at a time, whatever the level";
  Limits one_seat;
  one_seat.level = one_seat.per_client = 1;
  auto changing = echo_under(GetParam(), one_seat);
  const auto seated = changing.client(0);
  ASSERT_TRUE(is_echoed(seated, "in"));
  const auto waiting = changing.client(0);
  ASSERT_TRUE(send_text(waiting, "me too"));
  changing.service().limits.level = changing.service().limits.per_client = 2;
  EXPECT_EQ(changing.change(), no_complaints);
  EXPECT_EQ(received_text(waiting), "me too");
  EXPECT_TRUE(is_echoed(seated, "still in"));
  EXPECT_EQ(changing.hosted().level.peak(), 2);
}

TEST_P(AChangeUnder, OfTheLevelHoldsBackWhoComesNext) {
  if (GetParam() == "iterative") GTEST_SKIP() << "it serves one at a time, whatever the level";
  auto changing = echo_under(GetParam());
  auto first = changing.client(0), second = changing.client(0);
  ASSERT_TRUE(is_echoed(first, "first") && is_echoed(second, "second"));
  changing.service().limits.level = changing.service().limits.per_client = 1;
  changing.service().limits.when_full = WhenFull::wait;
  EXPECT_EQ(changing.change(), no_complaints);
  EXPECT_TRUE(is_echoed(first, "who is in stays") && is_echoed(second, "so does the other"));
  const auto third = changing.client(0);
  ASSERT_TRUE(send_text(third, "third"));
  first.reset();
  ASSERT_TRUE(soon([&] { return changing.hosted().level.count() == 1; }));
  EXPECT_TRUE(is_echoed(second, "one is enough"));
  second.reset();
  EXPECT_EQ(received_text(third), "third");
}

TEST_P(AChangeUnder, OfTheIdleTimeHoldsForWhoComesNext) {
  Limits patient;
  patient.idle = std::chrono::hours(1);
  auto changing = echo_under(GetParam(), patient);
  ASSERT_TRUE(is_echoed(changing.client(0), "before"));
  changing.service().limits.idle = Millis{20};
  EXPECT_EQ(changing.change(), no_complaints);
  const auto silent = changing.client(0);
  EXPECT_TRUE(is_closed_by_peer(silent));
  EXPECT_TRUE(soon([&] { return changing.hosted().counters.timed_out_idle.value() == 1; }));
}

TEST(AChange, ThatIsNoneKeepsTheDesign) {
  auto changing = echo_under("iterative");
  auto busy = changing.client(0);
  ASSERT_TRUE(is_echoed(busy, "busy"));
  EXPECT_EQ(changing.change(), no_complaints);
  const auto waiting = changing.client(0);
  ASSERT_TRUE(send_text(waiting, "waiting"));
  EXPECT_EQ(changing.host.next_tending(), never) << "nothing was left behind";
  EXPECT_EQ(changing.hosted().counters.accepted.value(), 1U);
  busy.reset();
  EXPECT_EQ(received_text(waiting), "waiting");
}

TEST(AChange, ToACombinationThatDoesNotWorkChangesNothing) {
  const auto stays_with_one = std::ranges::find(engines(), false, &EngineEntry::changes_hands);
  if (stays_with_one == engines().end()) GTEST_SKIP() << "all engines change hands";
  std::vector<DesignSettings> wrong{design("adaptive"), design("event"), design("forked")};
  wrong[0].engine = stays_with_one->name;
  wrong[1].engine = "kqueue";
  for (const auto& settings : wrong) {
    auto changing = echo_under("iterative");
    auto busy = changing.client(0);
    ASSERT_TRUE(is_echoed(busy, "busy"));
    changing.service().design = settings;
    changing.service().limits.level += 1;
    const auto complaints = changing.change();
    ASSERT_EQ(complaints.size(), 1U) << settings.design;
    EXPECT_TRUE(complaints[0].contains(settings.design == "event" ? settings.engine : settings.design))
        << complaints[0];
    EXPECT_EQ(changing.hosted().limits->level, Limits{}.level);
    const auto waiting = changing.client(0);
    ASSERT_TRUE(send_text(waiting, "waiting"));
    EXPECT_TRUE(is_echoed(busy, "still busy"));
    EXPECT_EQ(changing.hosted().counters.accepted.value(), 1U) << "still one at a time";
    busy.reset();
    EXPECT_EQ(received_text(waiting), "waiting");
  }
}

TEST(AHost, SaysWhichDesignThereIsNot) {
  const ServiceTable table{.services = {service("echo", "echo", {"tcp/127.0.0.1:0"}, {.design = "forked"})}};
  Bound bound(table);
  Host host;
  const auto served = host.serve(table, std::move(bound.listeners));
  ASSERT_FALSE(served.has_value());
  EXPECT_TRUE(served.error().what.contains("no design is called \"forked\"")) << served.error().what;
}
