#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

TEST(ASection, OfAServiceGivesItANameAndAHandler) {
  const auto table = parsed(R"([service.lines]
handler = "echo"
listen = "tcp/1"
[service."a.b"]
handler = "time"
listen = ["tcp/2"]
)");
  ASSERT_EQ(table.services.size(), 2U);
  EXPECT_EQ(table.services[0].name, "lines");
  EXPECT_EQ(table.services[0].handler, "echo");
  EXPECT_EQ(table.services[1].name, "a.b");
}

TEST(ASection, KeepsItsPlaceInTheFile) {
  const auto table = parsed(R"([service.time]
listen = "tcp/37"
[service.chargen]
listen = "tcp/19"
[superd]
[service.echo]
listen = "tcp/7"
)");
  ASSERT_EQ(table.services.size(), 3U);
  EXPECT_EQ(table.services[0].name, "time");
  EXPECT_EQ(table.services[1].name, "chargen");
  EXPECT_EQ(table.services[2].name, "echo");
}

TEST(ASection, MayBeWrittenInline) {
  EXPECT_EQ(parsed("service.echo = {listen = [\"tcp/7\"], level = 3}\nsuperd.port_base = 1\n").services[0].limits.level,
            3);
}

TEST(ASection, IsRefusedWithWhatWasMeant) {
  const std::pair<const char*, const char*> wrong[] = {
      {"[servce.echo]",      "servce: no such section: did you mean [service.NAME]?"                                 },
      {"[default]",          "default: no such section: did you mean [defaults]?"                                    },
      {"[super]",            "super: no such section: did you mean [superd]?"                                        },
      {"[echo]",             "echo: no such section: did you mean [service.echo]?"                                   },
      {"[[banana]]",         "banana: no such section: sections are [superd], [defaults] and [service.NAME]"         },
      {"[[service]]",        "service: is no section: a service has a name, as in [service.echo]"                    },
      {"[[service.echo]]",   "echo: is an array: a section has single brackets and a name of its own"                },
      {"[[defaults]]",       "defaults: is an array: a section has single brackets and a name of its own"            },
      {"superd = 3",         "superd: is a whole number: write a section"                                            },
      {"service = \"echo\"", "service: is no section: a service has a name, as in [service.echo]"                    },
      {"service.echo = 3",   "echo: is a whole number: write a section"                                              },
      {"level = 3",          "level: stands outside of any section: put it into [defaults] or a [service.NAME]"      },
      {"port_base = 3",      "port_base: stands outside of any section: put it into [superd]"                        },
      {"listen = 3",         "listen: stands outside of any section: put it into a [service.NAME]"                   },
      {"x = 3",              "x: stands outside of any section: sections are [superd], [defaults] and [service.NAME]"},
      {"[service.\"a b\"]",  "service: \"a b\" is no name: a name is 1 to 64 letters, digits, \"_\", \"-\" and \".\""},
      {"[service.\"\"]",     "service: \"\" is no name: a name is 1 to 64 letters, digits, \"_\", \"-\" and \".\""   },
  };
  for (const auto& [text, error] : wrong) EXPECT_EQ(errors_of(text), Lines{std::string("x.toml:1: ") + error}) << text;
}

TEST(ASection, OfServicesHasNoKeysOfItsOwn) {
  EXPECT_EQ(errors_of("[service]\nlevel = 1"),
            Lines{"x.toml:2: level: stands in no service: one has a name, as in [service.echo]"});
}

TEST(ASection, OfDefaultsHasNoListenersAndNoHandler) {
  EXPECT_EQ(errors_of("[defaults]\nlisten = \"tcp/7\"\nhandler = \"echo\"\n[service.echo]\nlisten = \"tcp/7\""),
            (Lines{"x.toml:2: listen: does not belong here: put it into a [service.NAME]",
                   "x.toml:3: handler: does not belong here: put it into a [service.NAME]"}));
}

TEST(ASection, OfAServiceMustBeThere) {
  for (const auto* text : {"", "# nothing", "[superd]\n", "[service]\n"})
    EXPECT_EQ(errors_of(text),
              Lines{"x.toml:1: service: there is none: write one, as in [service.echo] with listen = [\"tcp/7\"]"});
}

TEST(ASection, WithoutAHandlerOfItsNameSaysWhichThereAre) {
  EXPECT_EQ(errors_of("[service.ecko]\nlisten = \"tcp/7\""),
            Lines{"x.toml:1: handler: there is no \"ecko\", which is the service's name: write handler = \"beacon\", "
                  "\"chargen\", "
                  "\"daytime\", \"discard\", \"echo\", \"fsp\", \"icmp-echo\", \"icmp-log\", \"igmp-log\", "
                  "\"ip-echo\", \"qotd\", \"slow\", \"tftp\" or \"time\""});
}
