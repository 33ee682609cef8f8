#include "superd/net/passive.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string with_listen(std::string_view listen) {
  return "[service.echo]\nhandler = \"echo\"\nlisten = " + std::string(listen) + "\n";
}

}  // namespace

TEST(Listen, IsAnArrayOrOneAddress) {
  EXPECT_EQ(parsed(with_listen("\"tcp/7\"")).services[0].listen, std::vector{address("tcp/7")});
  EXPECT_EQ(parsed(with_listen("[\"tcp/7\", \"udp/[::1]:7\", \"unix:/run/x\"]")).services[0].listen,
            (std::vector{address("tcp/7"), address("udp/[::1]:7"), address("unix:/run/x")}));
}

TEST(Listen, TellsTheLineOfEachAddressThatIsWrong) {
  EXPECT_EQ(errors_of(with_listen("[\n\"tcp/echoo\",\n7,\n\"udp/7\",\n\"tpc/7\"\n]")),
            (Lines{"x.toml:4: listen: \"tcp/echoo\" is not where one can listen: \"echoo\" is not in the services "
                   "database for tcp: did you mean \"echo\"?",
                   "x.toml:5: listen: is a whole number: write an array of addresses, as in [\"tcp/7\", "
                   "\"udp/[::1]:7\"]",
                   "x.toml:7: listen: " + ListenAddress::parse("tpc/7").error().what}));
}

TEST(Listen, MustBeThere) {
  const std::string remedy = "write where clients are taken in, as in listen = [\"tcp/7\"]";
  EXPECT_EQ(errors_of("\n[service.echo]\n"), Lines{"x.toml:2: listen: is missing: " + remedy});
  EXPECT_EQ(errors_of(with_listen("[]")), Lines{"x.toml:3: listen: is empty: " + remedy});
}

TEST(Listen, EndsAtTheLastPortWithPortBase) {
  EXPECT_EQ(errors_of("[superd]\nport_base = 60000\n[service.echo]\nlisten = [\"tcp/7\",\n\"udp/6000\"]"),
            Lines{"x.toml:5: listen: \"udp/6000\": with port_base it is port 66000, and 65535 is the last: lower one "
                  "of the two"});
  EXPECT_EQ(errors_of("[superd]\nport_base = 65535\n[service.echo]\nlisten = [\"tcp/0\", \"unix:/run/x\"]"), Lines{});
}

TEST(Listen, MayNotNameAPlaceTwice) {
  EXPECT_EQ(errors_of("[service.echo]\nlisten = \"tcp/7\"\n[service.time]\nlisten = [\n\"tcp/37\", \"tcp/*:7\"]"),
            Lines{"x.toml:5: listen: \"tcp/*:7\" is the same place as \"tcp/7\" of echo in line 2: remove one of the "
                  "two"});
}

TEST(Listen, MayNameWhatOnlyLooksTheSame) {
  for (const auto* listen : {
           "[\"tcp/7\", \"udp/7\"]",
           "[\"tcp/127.0.0.1:7\", \"tcp/127.0.0.2:7\", \"tcp/[::1]:7\"]",
           "[\"tcp/0.0.0.0:7\", \"tcp/[::1]:7\"]",
           "[\"tcp/0\", \"tcp/0\"]",
           "[\"tcp/*%eth0:7\", \"tcp/*%eth1:7\"]",
           "[\"unix:/run/a\", \"unix:/run/b\"]",
       })
    EXPECT_EQ(errors_of(with_listen(listen)), Lines{}) << listen;
}

TEST(Listen, MayNotNameAPlaceWithinAnother) {
  for (const auto* listen : {
           "[\"tcp/7\", \"tcp/127.0.0.1:7\"]",
           "[\"tcp/127.0.0.1:7\", \"tcp/7\"]",
           "[\"udp/[::1]:7\", \"udp/7\"]",
           "[\"tcp/0.0.0.0:7\", \"tcp/127.0.0.1:7\"]",
           "[\"tcp/0.0.0.0:7\", \"tcp/[::]:7\"]",
           "[\"tcp/7\", \"tcp/*%eth0:7\"]",
           "[\"tcp/127.0.0.1%lo:7\", \"tcp/7\"]",
           "[\"unix:/run/a\", \"unix:/run/a\"]",
       })
    EXPECT_EQ(errors_of(with_listen(listen)).size(), 1U) << listen;
}

TEST(Listen, RefusesNoPlacesThatTheKernelLetsBeBesideEachOther) {
  const std::pair<const char*, const char*> pairs[] = {
      {"tcp/0.0.0.0:%",      "tcp/127.0.0.1:%"},
      {"tcp/*:%",            "tcp/127.0.0.1:%"},
      {"udp/*:%",            "udp/127.0.0.1:%"},
      {"udp/0.0.0.0:%",      "udp/*:%"        },
      {"udp/127.0.0.1%lo:%", "udp/127.0.0.1:%"},
      {"tcp/127.0.0.1%lo:%", "tcp/0.0.0.0:%"  },
  };
  for (auto [first, second] : pairs) {
    const auto taken = passive(address(std::string(first).replace(std::string(first).rfind('%'), 1, "0")), {});
    if (!taken) continue;  // to bind to an interface needs privileges on old kernels
    const auto port = std::to_string(local_endpoint(*taken).value().port());
    const auto at = [&](std::string text) { return text.replace(text.rfind('%'), 1, port); };
    EXPECT_FALSE(passive(address(at(second)), {})) << first << " and " << second;
    EXPECT_EQ(errors_of(with_listen("[\"" + at(first) + "\", \"" + at(second) + "\"]")).size(), 1U);
  }
}
