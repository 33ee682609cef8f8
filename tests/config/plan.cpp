#include "superd/config/plan.h"

#include <chrono>

#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

namespace {

ServiceTable table(std::string_view services, std::string_view program = "") {
  return parsed("[superd]\n" + std::string(program) + "\n" + std::string(services));
}

constexpr std::string_view echo_and_time = R"(
[service.echo]
listen = ["tcp/7", "udp/7"]
[service.time]
listen = ["tcp/37"]
)";

}  // namespace

TEST(ThePlan, IsEmptyBetweenEqualTables) {
  const auto now = table(echo_and_time);
  const auto plan = difference(now, now);
  EXPECT_TRUE(plan.is_empty());
  EXPECT_EQ(plan.keep.size(), 3U);
  EXPECT_EQ(print_plan(plan), "");
}

TEST(ThePlan, NamesWhatComesAndGoes) {
  const auto plan = difference(table(echo_and_time), table(R"(
[service.echo]
listen = ["udp/7", "tcp/8"]
[service.daytime]
listen = ["tcp/13"]
)"));
  EXPECT_EQ(plan.come, std::vector<std::string>{"daytime"});
  EXPECT_EQ(plan.go, std::vector<std::string>{"time"});
  EXPECT_EQ(plan.bind, (std::vector<Plan::Place>{
                           {"echo",    "tcp/8" },
                           {"daytime", "tcp/13"}
  }));
  EXPECT_EQ(plan.close, (std::vector<Plan::Place>{
                            {"echo", "tcp/7" },
                            {"time", "tcp/37"}
  }));
  EXPECT_EQ(plan.keep, (std::vector<Plan::Place>{
                           {"echo", "udp/7"}
  }));
  ASSERT_EQ(plan.change.size(), 1U);
  EXPECT_EQ(plan.change[0].keys.at(0).key, "listen");
}

TEST(ThePlan, NamesTheKeysThatDiffer) {
  const auto plan = difference(table(echo_and_time), table(R"(
[defaults]
level = 9
per_client = 3
[service.echo]
listen = ["tcp/7", "udp/7"]
[service.time]
listen = ["tcp/37"]
design = "threads"
)",
                                                           "drain = \"5s\""));
  EXPECT_EQ(print_plan(plan), R"(~ [superd]
    drain: "10s" -> "5s"
~ service echo
    level: 64 -> 9
    per_client: 16 -> 3
~ service time
    design: "adaptive" -> "threads"
    level: 64 -> 9
    per_client: 16 -> 3
)");
}

TEST(ThePlan, KnowsASocketThatGoesOverToAnotherService) {
  const auto plan = difference(table("[service.echo]\nlisten = [\"tcp/7\"]\n"),
                               table("[service.mirror]\nhandler = \"echo\"\nlisten = [\"tcp/*:7\"]\n"));
  EXPECT_EQ(plan.move, (std::vector<Plan::Move>{
                           {{"echo", "tcp/7"}, {"mirror", "tcp/*:7"}}
  }));
  EXPECT_TRUE(plan.bind.empty() && plan.close.empty());
}

TEST(ThePlan, BindsAllPortsAnewWithAnotherBaseButNotAnyPort) {
  const auto now = table("[service.echo]\nlisten = [\"tcp/7\", \"tcp/0\", \"unix:/run/x\"]\n");
  auto wanted = now;
  wanted.port_base = 1000;
  const auto plan = difference(now, wanted);
  EXPECT_EQ(plan.bind.size(), 1U);
  EXPECT_EQ(plan.close.size(), 1U);
  EXPECT_EQ(plan.keep.size(), 2U);
}
