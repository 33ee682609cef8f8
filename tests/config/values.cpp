#include "superd/config/keys.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// The one error of a line in an echo service, without "x.toml:3: ".
std::string why_not(std::string_view line) {
  const auto errors = errors_of(echo_with(line));
  if (errors.size() != 1) return std::to_string(errors.size()) + " errors";
  const std::string begin = "x.toml:3: ";
  return errors[0].starts_with(begin) ? errors[0].substr(begin.size()) : errors[0];
}

}  // namespace

TEST(AValue, OutsideItsBoundsIsRefusedWithThem) {
  const std::pair<const char*, const char*> wrong[] = {
      {"level = 0",                                 "level: 0 is below 1: a limit can be raised, not switched off"           },
      {"level = -1",                                "level: -1 is below 1: a limit can be raised, not switched off"          },
      {"level = 1000001",                           "level: 1000001 is above 1000000: write 1 to 1000000"                    },
      {"level = 9223372036854775807",               "level: 9223372036854775807 is above 1000000: write 1 to 1000000"        },
      {"per_client = 0",                            "per_client: 0 is below 1: a limit can be raised, not switched off"      },
      {"idle = \"0s\"",                             "idle: 0s is below 1ms: a limit can be raised, not switched off"         },
      {"total = \"0ms\"",                           "total: 0s is below 1ms: a limit can be raised, not switched off"        },
      {"linger = \"3651d\"",                        "linger: 3651d is above 3650d: write 1ms to 3650d"                       },
      {"min_rate = 0",                              "min_rate: 0 is below 1B: a limit can be raised, not switched off"       },
      {"min_rate = -3",                             "min_rate: -3 is below 1B: a limit can be raised, not switched off"      },
      {"min_rate = \"2GiB\"",                       "min_rate: 2GiB is above 1GiB: write 1B to 1GiB"                         },
      {"answer_rate = 0",                           "answer_rate: 0 is below 1: a limit can be raised, not switched off"     },
      {"amplification = 0",                         "amplification: 0 is below 1: a limit can be raised, not switched off"   },
      {"loops = -1",                                "loops: -1 is below 0: write 0 to 1024"                                  },
      {"loops = 1025",                              "loops: 1025 is above 1024: write 0 to 1024"                             },
      {"workers = 10001",                           "workers: 10001 is above 10000: write 1 to 10000"                        },
      {"backlog = 0",                               "backlog: 0 is below 1: write 1 to 1000000"                              },
      {"send_buffer = \"1GiB\"",                    "send_buffer: 1GiB is above 1023MiB: write 0 to 1023MiB"                 },
      {"receive_buffer = \"18446744073709551615\"",
       "receive_buffer: 9223372036854775807B is above 1023MiB: write 0 to 1023MiB"                                           },
      {"keepalive = \"32768s\"",                    "keepalive: 32768s is above 32767s: write 1s to 32767s"                  },
      {"keepalive = \"1500ms\"",                    "keepalive: \"1500ms\" is no whole number of seconds: leave the rest out"},
      {"trusted = [\"::/0\"]",                      "trusted: \"::/0\" is everybody: a limit can be raised, not switched off"},
  };
  for (const auto& [line, error] : wrong) EXPECT_EQ(why_not(line), error);
}

TEST(AValue, IsRefusedWithTheWordsThereAre) {
  const std::pair<const char*, const char*> wrong[] = {
      {"design = \"evnt\"",
       "design: there is no \"evnt\": did you mean \"event\"? right are \"iterative\", \"threads\", \"processes\", "
       "\"prethreaded\", \"preforked\", \"event\", \"delayed\" or "
       "\"adaptive\""                                                                             },
      {"engine = \"kqueue\"",
       "engine: there is no \"kqueue\": right are \"select\", \"poll\", \"epoll\" or \"io_uring\""},
      {"handler = \"Echo\"",
       "handler: there is no \"Echo\": did you mean \"echo\"? right are \"beacon\", \"chargen\", \"daytime\", "
       "\"discard\", "
       "\"echo\", \"fsp\", \"icmp-echo\", \"icmp-log\", \"igmp-log\", \"ip-echo\", \"qotd\", \"slow\", \"tftp\" or "
       "\"time\""                                                                                 },
      {"when_full = \"\"",    "when_full: there is no \"\": right are \"wait\" or \"refuse\""     },
      {"desing = \"event\"",  "desing: no such key: did you mean \"design\"?"                     },
      {"colour = 3",          "colour: no such key: superd --print-config shows all"              },
  };
  for (const auto& [line, error] : wrong) EXPECT_EQ(why_not(line), error);
}

TEST(AValue, OfAWrongTypeIsRefusedWithTheRightOne) {
  const std::pair<const char*, const char*> wrong[] = {
      {"level = \"64\"",           "level: is a string: write a whole number, 1 to 1000000"                                 },
      {"level = 1.5",              "level: is a fraction: write a whole number, 1 to 1000000"                               },
      {"level = true",             "level: is a boolean: write a whole number, 1 to 1000000"                                },
      {"level = 2024-01-01",       "level: is a date or time: write a whole number, 1 to 1000000"                           },
      {"level = [1]",              "level: is an array: write a whole number, 1 to 1000000"                                 },
      {"level = {a = 1}",          "level: is a table: write a whole number, 1 to 1000000"                                  },
      {"level.a = 1",              "level: is a table: write a whole number, 1 to 1000000"                                  },
      {"idle = 30",                "idle: 30 has no unit: write \"30s\""                                                    },
      {"idle = \"30\"",
       "idle: \"30\" is not a duration: write a whole number and its unit, ms, s, m, h or d, as in \"30s\""                 },
      {"min_rate = \"1 KB\"",
       "min_rate: \"1 KB\" is not a size: write a number of bytes, or one with B, KiB, MiB or GiB, as in \"64KiB\""         },
      {"min_rate = []",            "min_rate: is an array: write a size, 1B to 1GiB"                                        },
      {"mode = 432",               "mode: is a whole number: write three octal digits in quotes, as in \"0660\""            },
      {"mode = \"0o660\"",         "mode: \"0o660\" is no mode of a file: write three octal digits, as in \"0660\""         },
      {"mode = \"1777\"",          "mode: \"1777\" is no mode of a file: write three octal digits, as in \"0660\""          },
      {"mode = \"\"",              "mode: \"\" is no mode of a file: write three octal digits, as in \"0660\""              },
      {"trusted = [3]",            "trusted: is a whole number: write an array of networks, as in [\"10.0.0.0/8\", \"::1\"]"},
      {"trusted = \"10.0.0.1/8\"",
       "trusted: \"10.0.0.1/8\" is not a network: it has bits behind its prefix; write \"10.0.0.0/8\""                      },
      {"owner = \"no such user\"",
       "owner: no user is called \"no such user\": write a name that getent(1) knows, or a number"                          },
      {"owner_group = \"\"",       "owner_group: no group is called \"\": write a name that getent(1) knows, or a number"   },
      {"owner = 4294967295",       "owner: 4294967295 is no number of a user: write 0 to 4294967294"                        },
      {"group = \"a b\"",          "group: \"a b\" is no name: a name is 1 to 64 letters, digits, \"_\", \"-\" and \".\""   },
  };
  for (const auto& [line, error] : wrong) EXPECT_EQ(why_not(line), error);
}

TEST(AValue, OfAnyKeyMayBeOfAnyTypeAndIsAtMostAnError) {
  for (const auto& key : keys())
    for (const auto* value : {"1", "-1", "1.5", "inf", "true", "\"\"", "\"x\"", "[]", "[[]]", "[1, \"x\", {}]", "{}",
                              "1979-05-27", "07:32:00", "{a.b.c = [1]}"}) {
      const auto section = key.place == Place::program ? "[superd]\n" : "[service.echo]\n";
      const auto text = section + std::string(key.name) + " = " + value + "\n";
      for (const auto& line : errors_of(text)) EXPECT_TRUE(line.starts_with("x.toml:")) << line;
    }
}
