#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;
using namespace std::chrono_literals;

namespace {

std::string why_not(std::string_view line) {
  const auto errors = errors_of(echo_with(line));
  if (errors.size() != 1) return std::to_string(errors.size()) + " errors";
  const std::string begin = "x.toml:3: ";
  return errors[0].starts_with(begin) ? errors[0].substr(begin.size()) : errors[0];
}

}  // namespace

TEST(ABound, OfWhoMayComeIsRead) {
  const auto limits = echo(R"(allow = ["10.0.0.0/8", "@/etc/friends"]
deny = "10.1.0.0/16"
hours = ["Mon-Fri 8:00-18:00", "22:00-06:00"]
client_rate = "60/m burst 20"
prefix_rate = "5/s"
over_rate = "refuse"
per_prefix = 7
max_load = 2.5
refused = "close"
tarpit_time = "1m"
banner = "@/etc/welcome"
banner_refused = "no\r\n")")
                          .limits;
  ASSERT_EQ(limits.allow.size(), 2U);
  EXPECT_EQ(limits.allow[1], (AccessRule{AccessRule::Kind::set_file, {}, "/etc/friends"}));
  EXPECT_EQ(limits.deny.size(), 1U);
  EXPECT_EQ(limits.hours.size(), 2U);
  EXPECT_EQ(limits.client_rate, (Rate{60, 60s, 20}));
  EXPECT_EQ(limits.prefix_rate, (Rate{5, 1s, 5}));
  EXPECT_EQ(limits.over_rate, OverRate::refuse);
  EXPECT_EQ(limits.per_prefix, 7);
  EXPECT_EQ(limits.max_load, 2.5);
  EXPECT_EQ(limits.refused, Refused::close);
  EXPECT_EQ(limits.tarpit_time, 60s);
  EXPECT_EQ(limits.banner, "@/etc/welcome");
  EXPECT_EQ(limits.banner_refused, "no\r\n");
  EXPECT_EQ(echo("max_load = 3").limits.max_load, 3.0);
  EXPECT_EQ(parsed("[superd]\noverall_level = 5\n" + echo_with("")).overall_level, 5);
}

TEST(ABound, OfWhoMayComeIsRefusedWhereItIsNone) {
  const std::pair<const char*, const char*> wrong[] = {
      {"allow = [\"10.0.0.1/8\"]",
       "allow: \"10.0.0.1/8\" is not a network: it has bits behind its prefix; write \"10.0.0.0/8\""                },
      {"allow = [\"example.org\"]",
       "allow: \"example.org\" is a name, which is not looked up, for whoever is asked could lie or keep clients "
       "waiting: write the network, as in \"10.0.0.0/8\", or a set file that something else keeps, as in "
       "\"@/etc/superd/friends\""                                                                                   },
      {"allow = [\"10.0.0.0/8x\"]",    "allow: \"10.0.0.0/8x\" is not a network: the prefix is 0 to 32 bits long"   },
      {"deny = [\"@friends\"]",
       "deny: \"@friends\" is no set file: write its absolute path, as in \"@/etc/superd/friends\""                 },
      {"hours = [\"22:00\"]",
       "hours: \"22:00\" are no hours: write when they begin and end, as in \"08:00-18:00\" or \"Mon-Fri "
       "22:00-06:00\""                                                                                              },
      {"hours = [\"mo 08:00-09:00\"]",
       "hours: \"mo 08:00-09:00\" are no hours: days are Mon, Tue, Wed, Thu, Fri, Sat, Sun, as in \"Mon-Fri\" or "
       "\"Sat,Sun\""                                                                                                },
      {"client_rate = \"20\"",
       "client_rate: \"20\" is not a rate: write a number of 1 to 1000000 and its period, s, m or h, as in \"20/s\" or "
       "\"60/m burst 100\""                                                                                         },
      {"client_rate = 20",
       "client_rate: is a whole number: write a rate, as in \"20/s\", \"60/m\" or \"20/s burst 40\""                },
      {"max_load = 0",                 "max_load: 0 is not above 0: nobody would ever be let in"                    },
      {"max_load = nan",               "max_load: nan is not above 0: nobody would ever be let in"                  },
      {"max_load = inf",               "max_load: inf is above 10000: that is no limit any more"                    },
      {"banner = \"@welcome\"",
       "banner: \"@welcome\" is no file: write its absolute path, as in \"@/etc/superd/welcome\""                   },
      {"refused = \"drop\"",           "refused: there is no \"drop\": right are \"reset\", \"close\" or \"tarpit\""},
  };
  for (const auto& [line, error] : wrong) EXPECT_EQ(why_not(line), error);
}

TEST(ABound, ThatCannotHoldForAProgramThatTakesItsClientsInIsRefused) {
  const auto errors = errors_of(R"([service.tftp]
listen = "udp/69"
program = ["/usr/sbin/in.tftpd"]
wait = true
allow = ["10.0.0.0/8"]
)");
  EXPECT_EQ(errors, Lines{"x.toml:5: allow: cannot hold for a program with wait = true, which takes clients in by "
                          "itself: leave one out"});
}
