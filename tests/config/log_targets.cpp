#include "superd/config/log_target.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

namespace {

Lines errors_in(const std::string& value) {
  return errors_of("[superd]\nlog_to = " + value + "\n[service.echo]\nlisten = \"tcp/7\"\n");
}

}  // namespace

TEST(WhereTheLogGoes, IsReadAndPrintedAlike) {
  for (const char* text :
       {"stderr", "syslog", "journal", "file:/var/log/superd.log", "syslog:/run/log", "journal:/run/j"}) {
    const auto target = LogTarget::parse(text);
    ASSERT_TRUE(target) << text;
    EXPECT_EQ(target->text(), text);
  }
  EXPECT_EQ(LogTarget::parse("syslog")->path, "/dev/log");
  EXPECT_EQ(LogTarget::parse("syslog:/dev/log")->text(), "syslog");
}

TEST(WhereTheLogGoes, IsOnePlaceOrSeveral) {
  const auto table = parsed("[superd]\nlog_to = [\"journal\", \"file:/a\"]\n[service.echo]\nlisten = \"tcp/7\"\n");
  ASSERT_EQ(table.log_to.size(), 2U);
  EXPECT_EQ(table.log_to[0].kind, LogTarget::Kind::journal);
  EXPECT_EQ(table.log_to[1].path, "/a");
}

TEST(WhereTheLogGoes, IsRefusedWithTheRemedy) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"("stdrr")",          R"("stdrr" is nowhere that lines can go: did you mean "stderr"?)"                               },
      {R"("x")",              R"("x" is nowhere that lines can go: write "stderr", "syslog", "journal" or "file:/PATH")"      },
      {R"("file")",           R"("file" has no absolute path: write one, as in "file:/var/log/superd.log")"                   },
      {R"("file:log")",       R"("file:log" has no absolute path: write one, as in "file:/var/log/superd.log")"               },
      {R"("file:/var/log/")", R"("file:/var/log/" is a directory: add the name of a file)"                                    },
      {R"("stderr:/x")",      R"("stderr:/x" has a path, which stderr has none of: leave it out)"                             },
      {"[]",                  R"(is empty: write where lines go, as in log_to = "stderr")"                                    },
      {"1",                   R"(is a whole number: write "stderr", "syslog", "journal" or "file:/PATH", or an array of them)"},
  };
  for (const auto& [value, why] : wrong) EXPECT_EQ(errors_in(value), Lines{"x.toml:2: log_to: " + std::string(why)});
  const auto longer = "\"syslog:/" + std::string(200, 'x') + "\"";
  EXPECT_TRUE(errors_in(longer).at(0).ends_with("is too long for a socket: 107 bytes fit"));
}
