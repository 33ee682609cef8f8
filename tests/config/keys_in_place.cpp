#include "superd/config/keys.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;
using namespace std::chrono_literals;

TEST(AKey, OfTheProgramIsRead) {
  const auto table =
      parsed("[superd]\nport_base = 20000\ndrain = \"1m\"\nlog = \"json\"\nlog_level = \"debug\"\n" + echo_with(""));
  EXPECT_EQ(table.port_base, 20'000);
  EXPECT_EQ(table.drain, 60s);
  EXPECT_EQ(table.log_format, LogFormat::json);
  EXPECT_EQ(table.log_level, Severity::debug);
}

TEST(AKey, OfADesignIsRead) {
  EXPECT_EQ(echo("design = \"prethreaded\"").design.design, "prethreaded");
  EXPECT_EQ(echo("engine = \"poll\"").design.engine, "poll");
  EXPECT_EQ(echo("loops = 4").design.loops, 4);
  EXPECT_EQ(echo("workers = 32").design.workers, 32);
  EXPECT_EQ(echo("group = \"small\"").group, "small");
}

TEST(AKey, OfALimitIsRead) {
  EXPECT_EQ(echo("level = 1000000").limits.level, 1'000'000);
  EXPECT_EQ(echo("per_client = 1").limits.per_client, 1);
  EXPECT_EQ(echo("when_full = \"refuse\"").limits.when_full, WhenFull::refuse);
  EXPECT_EQ(echo("idle = \"250ms\"").limits.idle, 250ms);
  EXPECT_EQ(echo("total = \"3650d\"").limits.total, 24h * 3650);
  EXPECT_EQ(echo("linger = \"1ms\"").limits.linger, 1ms);
  EXPECT_EQ(echo("min_rate = \"2KiB\"").limits.min_rate, 2048U);
  EXPECT_EQ(echo("min_rate = 7").limits.min_rate, 7U);
  EXPECT_EQ(echo("answer_rate = 1").limits.answer_rate, 1U);
  EXPECT_EQ(echo("amplification = 10").limits.amplification, 10U);
  EXPECT_EQ(echo("trusted = [\"10.0.0.0/8\"]").limits.trusted, std::vector{Network::parse("10.0.0.0/8").value()});
  EXPECT_TRUE(echo("trusted = []").limits.trusted.empty());
}

TEST(AKey, OfAListenerIsRead) {
  EXPECT_EQ(echo("backlog = 1").options.backlog, 1);
  EXPECT_EQ(echo("receive_buffer = \"8MiB\"").options.receive_buffer, 8 << 20);
  EXPECT_EQ(echo("send_buffer = 65536").options.send_buffer, 65'536);
  EXPECT_EQ(echo("receive_buffer = 0").options.receive_buffer, 0);
  EXPECT_EQ(echo("keepalive = \"2m\"").options.keepalive, 120s);
  EXPECT_EQ(echo("mode = \"0600\"").options.mode, mode_t{0600});
  EXPECT_EQ(echo("owner = \"root\"").options.owner, uid_t{0});
  EXPECT_EQ(echo("owner = 4294967294").options.owner, uid_t{4'294'967'294});
  EXPECT_EQ(echo("owner_group = \"root\"").options.group, gid_t{0});
  EXPECT_EQ(echo("owner_group = 12").options.group, gid_t{12});
  EXPECT_EQ(echo("").options.owner, std::nullopt);
}

TEST(AKey, ThatIsNotGivenHasTheDefaultOfItsStruct) {
  ServiceTable expected;
  expected.services = {
      {.name = "echo",
       .handler = "echo",
       .listen = {address("tcp/7")},
       .design = {},
       .limits = {},
       .options = {},
       .group = {}}
  };
  EXPECT_EQ(parsed(echo_with("")), expected);
}

TEST(AKey, InDefaultsHoldsForAllServicesThatDoNotSayOtherwise) {
  const auto table = parsed(R"(
[service.echo]
listen = "tcp/7"
[defaults]
level = 5
design = "threads"
[service.time]
listen = "tcp/37"
level = 6
)");
  ASSERT_EQ(table.services.size(), 2U);
  EXPECT_EQ(table.services[0].limits.level, 5);
  EXPECT_EQ(table.services[1].limits.level, 6);
  EXPECT_EQ(table.services[1].design.design, "threads");
}

TEST(AKey, IsInTheTableOnce) {
  for (const auto& key : keys()) EXPECT_EQ(find_key(key.name), &key) << key.name;
  EXPECT_EQ(find_key("no_such_key"), nullptr);
}

TEST(AKey, TellsItsSectionWhenItStandsInAnother) {
  for (const auto& key : keys()) {
    const std::string name(key.name);
    const bool is_program = key.place == Place::program;
    const auto text =
        (is_program ? echo_with("") : "\n[superd]\n") + name + " = 1\n" + (is_program ? "" : echo_with(""));
    const auto home = key.place == Place::anywhere  ? "[defaults] or a [service.NAME]"
                      : key.place == Place::service ? "a [service.NAME]"
                                                    : "[superd]";
    const auto line = is_program ? "4" : "3";
    EXPECT_EQ(errors_of(text),
              Lines{"x.toml:" + std::string(line) + ": " + name + ": does not belong here: put it into " + home});
  }
}
