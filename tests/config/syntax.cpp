#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

TEST(Syntax, ErrorsTellTheLineAndTheRemedy) {
  const std::pair<const char*, const char*> wrong[] = {
      {"design = event",           "design: could not determine value type: text and units stand in quotes: \"event\""         },
      {"design = threads  # all",  "design: expected 'true', saw 'th': text and units stand in quotes: \"threads\""            },
      {"idle = 30s",               "idle: expected digit, saw 's': text and units stand in quotes: \"30s\""                    },
      {"group = a = b",            "group: there is a second ="                                                                },
      {"owner = tcp/[::1]:7",
       "owner: a comma or = is missing before the bracket: text and units stand in quotes: \"tcp/[::1]:7\""                    },
      {"mode = 0660",              "mode: leading zeroes are prohibited: text and units stand in quotes: \"0660\""             },
      {"listen = \"tcp/8\"",       "listen: cannot redefine existing string 'listen': it is there twice: keep one"             },
      {"level",                    "TOML: expected '=', saw the end of the line"                                               },
      {"level: 3",                 "TOML: expected '=', saw ':'"                                                               },
      {"group = \"\\q\"",          "group: unknown escape sequence '\\x5cq'"                                                   },
      {"[service.echo]",           "[service.echo]: cannot redefine existing table 'service.echo': it is there twice: keep one"},
      {"[service.time",            "[service.time: expected ']', saw the end of the line"                                      },
      {"design = \xe2\x80\x9c"
       "event\xe2\x80\x9d", "design: outside of quotes stands ASCII alone, and a quote is \""                           },
      {"level = 3\"x\"",           "level: a comma or = is missing before the string"                                          },
      {"group = \"\xff\"",         "group: encountered invalid utf-8 sequence"                                                 },
  };
  for (const auto& [line, error] : wrong) {
    const auto errors = errors_of(echo_with(line));
    EXPECT_EQ(errors, Lines{std::string("x.toml:3: ") + error});
  }
}

TEST(Syntax, ErrorsDoNotHideTheOthers) {
  EXPECT_EQ(errors_of(R"([superd]
drain = 10s
[service.echo]
listen = tcp/7
level = 0
idle = 30 s
level = 3
[service.time]
listne = "tcp/37"
)"),
            (Lines{
                "x.toml:2: drain: expected digit, saw 's': text and units stand in quotes: \"10s\"",
                "x.toml:4: listen: expected 'true', saw 'tc': text and units stand in quotes: \"tcp/7\"",
                "x.toml:5: level: 0 is below 1: a limit can be raised, not switched off",
                "x.toml:6: idle: expected a comment or whitespace, saw 's': text and units stand in quotes: \"30 s\"",
                "x.toml:7: level: cannot redefine existing integer 'level': it is there twice: keep one",
                "x.toml:9: listne: no such key: did you mean \"listen\"?",
            }));
}

TEST(Syntax, ErrorsOfAHeaderEndTheReading) {
  EXPECT_EQ(
      errors_of("[service.echo]\nlisten = \"tcp/7\"\nlevle = 3\n[service.time\nlevel = 0\n[service.qotd]\nx = 3\n"),
      (Lines{"x.toml:3: levle: no such key: did you mean \"level\"?",
             "x.toml:4: [service.time: expected ']', saw the end of the line"}));
}

TEST(Syntax, ErrorsWithinAValueEndTheReading) {
  EXPECT_EQ(errors_of("[service.echo]\nlisten = [\n\"tcp/7\"\n\"udp/7\"\n]\nlevel = 0\n").size(), 1U);
  EXPECT_EQ(errors_of("[service.echo]\nlisten = [\"tcp/7\"\nlevel = 0\nidle = 3\nlinger = 3\n").size(), 1U);
}

TEST(Syntax, ErrorsAreAFewEvenWhenEveryLineIsOne) {
  std::string text = "[service.echo]\n";
  for (int i = 0; i < 10'000; ++i) text += "a = b\n";
  EXPECT_LE(errors_of(text).size(), 20U);
}

TEST(Syntax, ErrorsEscapeWhatATerminalWouldObey) {
  for (const auto* text : {"\x1b[31m = 3\n", "a = \x1b[31m\n", "[\"\\u001b[31m\"]\n", "[service.\"\\u001b\"]\n",
                           "[service.echo]\n\"\\u001b\\n\" = 3\n", "[service.echo]\nlisten = \"\\u001b\\n\\u009b\"\n",
                           "[service.echo]\ndesign = \"\\u001b\\u0000\"\n", "[service.echo]\ngroup = \"\\u001b\"\n",
                           "[service.echo]\nidle = \"\\u001b\"\n", "[service.echo]\nowner = \"\\u001b\\u0000\"\n",
                           "[service.echo]\nlisten = \"unix:/run/\\u001b\"\nlistne = 3\n"}) {
    const auto errors = errors_of(text);
    EXPECT_FALSE(errors.empty()) << text;
    for (const auto& line : errors)
      for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
  }
  const auto named = parse_config("x", "\x1b[31m.toml");
  EXPECT_TRUE(named.error().at(0).starts_with("\\x1b[31m.toml:1: "));
}
