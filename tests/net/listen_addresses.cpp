#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string why_not(std::string_view text) {
  const auto parsed = ListenAddress::parse(text);
  return parsed ? "accepted" : parsed.error().what;
}

}  // namespace

TEST(AListenAddress, WithoutAHostIsEveryAddress) {
  for (const auto* text : {"tcp/7", "tcp/*:7", "tcp/[::]:7"}) {
    const auto parsed = address(text);
    EXPECT_EQ(parsed.transport, Transport::tcp);
    EXPECT_EQ(parsed.endpoint, Endpoint::any_v6(7)) << text;
    EXPECT_EQ(parsed.interface, "");
    EXPECT_EQ(parsed.text, text);
  }
  EXPECT_EQ(address("udp/0.0.0.0:7").endpoint, Endpoint::any_v4(7));
}

TEST(AListenAddress, MayNameOneAddress) {
  EXPECT_EQ(address("tcp/127.0.0.1:7").endpoint, endpoint("127.0.0.1:7"));
  EXPECT_EQ(address("udp/[::1]:7").endpoint, endpoint("[::1]:7"));
  EXPECT_EQ(address("udp/[::1]:7").transport, Transport::udp);
  EXPECT_EQ(address("udp/[::ffff:127.0.0.1]:7").endpoint, endpoint("127.0.0.1:7"));
}

TEST(AListenAddress, MayNameAnInterfaceThatIsNotThereYet) {
  EXPECT_EQ(address("tcp/*%wlan7:7").interface, "wlan7");
  EXPECT_EQ(address("udp/127.0.0.1%lo:7").interface, "lo");
  const auto link_local = address("tcp/[fe80::1%wlan7]:7");
  EXPECT_EQ(link_local.interface, "wlan7");
  EXPECT_EQ(link_local.endpoint, endpoint("[fe80::1]:7"));
}

TEST(AListenAddress, MayBeAPath) {
  const auto parsed = address("unix:/run/superd/echo");
  EXPECT_EQ(parsed.transport, Transport::unix_stream);
  EXPECT_EQ(parsed.endpoint.path(), "/run/superd/echo");
}

TEST(AListenAddress, SaysWhatWouldBeRight) {
  const std::pair<const char*, const char*> wrong[] = {
      {"",                                "right are \"tcp/7\""        },
      {"7",                               "right are \"tcp/7\""        },
      {"sctp/7",                          "right are \"tcp/7\""        },
      {"tcp:7",                           "right are \"tcp/7\""        },
      {"tcp/",                            "the port is missing"        },
      {"tcp/127.0.0.1:",                  "the port is missing"        },
      {"tcp/127.0.0.1",                   "the port is missing"        },
      {"tcp/*",                           "the port is missing"        },
      {"tcp/65536",                       "0 to 65535"                 },
      {"tcp/007",                         "0 to 65535"                 },
      {"tcp/-7",                          "services database"          },
      {"tcp/7 ",                          "neither a port nor the name"},
      {"tcp/ 7",                          "neither a port nor the name"},
      {"tcp/:7",                          "write * for every address"  },
      {"tcp/::1:7",                       "in brackets"                },
      {"tcp/[::1]",                       "a colon and the port"       },
      {"tcp/[::1]7",                      "a colon and the port"       },
      {"tcp/[127.0.0.1]:7",               "no address"                 },
      {"tcp/[*]:7",                       "no address"                 },
      {"tcp/localhost:7",                 "names are not looked up"    },
      {"tcp/127.0.0.1x:7",                "no address"                 },
      {"tcp/*%:7",                        "the name of an interface"   },
      {"tcp/*%a-name-that-is-too-long:7", "the name of an interface"   },
      {"tcp/[fe80::1]:7",                 "needs its interface"        },
      {"udp/224.0.0.1:7",                 "not one host's"             },
      {"udp/[ff02::1%lo]:7",              "not one host's"             },
      {"udp/255.255.255.255:7",           "not one host's"             },
      {"unix:",                           "is empty"                   },
  };
  for (const auto& [text, remedy] : wrong)
    EXPECT_NE(why_not(text).find(remedy), std::string::npos) << text << " -> " << why_not(text);
}

TEST(AListenAddress, KeepsForeignBytesOutOfItsMessage) {
  EXPECT_NE(why_not("tcp/a\nb").find("a\\x0ab"), std::string::npos) << why_not("tcp/a\nb");
}
