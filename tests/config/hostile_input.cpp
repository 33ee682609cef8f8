#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

// toml++ 3.3 overflows the stack on these.
TEST(AHostileText, WithAKeyOfManyPartsIsRefused) {
  const auto key = repeated("a.", 500'000) + "a";
  for (const auto& text : {"[" + key + "]\n", key + " = 1\n", "x = {" + key + " = 1}\n", "x = '''\n'''\n" + key + "=1",
                           "x = \"\"\"\\\"\"\"\"\"\n[" + key + "]", repeated("a . ", 500'000) + "b = 1",
                           "# \"\n" + key + "=1", "x = \"#\\\"\"\n" + key + "=1"}) {
    const auto errors = errors_of(text);
    ASSERT_FALSE(errors.empty());
    EXPECT_TRUE(errors.back().ends_with(": a key has at most 16 parts")) << errors.back();
  }
}

TEST(AHostileText, WithDeepBracketsIsRefused) {
  EXPECT_EQ(errors_of("x = " + repeated("[", 1'000'000)), Lines{"x.toml:1: x: brackets nest at most 16 deep"});
  EXPECT_EQ(errors_of("x = [\n" + repeated("{a.b = ", 1'000'000)),
            Lines{"x.toml:2: {a.b: brackets nest at most 16 deep"});
}

TEST(AHostileText, WithManyValuesIsRefused) {
  std::string text;
  for (int i = 0; i < 100'001; ++i) text += "[a" + std::to_string(i) + ".x]\n";
  EXPECT_EQ(errors_of(text), Lines{"x.toml:100001: [a100000.x]: a file has at most 100000 values"});
  EXPECT_EQ(errors_of("x = [\n" + repeated("1,", 500'001) + "]"),
            Lines{"x.toml:2: TOML: a file has at most 500000 items in arrays"});
}

TEST(AHostileText, MayHaveDotsAndBracketsInStringsAndComments) {
  const auto noise = repeated("[{.=,", 100'000);
  const auto trusted = "trusted = [] # \"'" + noise + "\n";
  EXPECT_EQ(errors_of(echo_with(trusted)), Lines{});
  EXPECT_TRUE(errors_of(echo_with("group = \"" + noise + "\"")).at(0).starts_with("x.toml:3: group: \"[{.="));
  EXPECT_TRUE(errors_of(echo_with("group = '" + noise + "'")).at(0).starts_with("x.toml:3: group: \"[{.="));
  EXPECT_TRUE(errors_of(echo_with("group = '''\n" + noise + "'''")).at(0).starts_with("x.toml:3: group: \"[{.="));
}

// toml++ 3.3 reaches __builtin_unreachable() for a Cyrillic letter where a blank may stand.
TEST(AHostileText, MayHoldAnyLetterInStringsOfALineAndInComments) {
  EXPECT_EQ(errors_of("\xef\xbb\xbf# \xd1\x94\n" + echo_with("# \xd1\x94")), Lines{});
  EXPECT_EQ(parsed("[service.echo]\nlisten = \"unix:/\xd1\x94\"").services[0].listen[0].text, "unix:/\xd1\x94");
  EXPECT_EQ(parsed("[service.echo]\nlisten = 'unix:/\xd1\x94'").services[0].listen[0].text, "unix:/\xd1\x94");
  const std::string why = "outside of quotes stands ASCII alone, and a quote is \"";
  EXPECT_EQ(errors_of(echo_with("\xd1\x94 = 3")), Lines{"x.toml:3: \\xd1\\x94: " + why});
  EXPECT_EQ(errors_of(echo_with("level = 3 \xd1\x94")), Lines{"x.toml:3: level: " + why});
  EXPECT_EQ(errors_of("[service.echo]\nlisten = \"\"\"\ntcp/7\\\n\xd1\x94\"\"\"\nlevel = 0"),
            Lines{"x.toml:4: TOML: a string in \"\"\" is ASCII: write it in one line and in \""});
}

TEST(AHostileText, GetsAThousandErrorsAtMost) {
  std::string text = "[defaults]\n";
  for (int i = 0; i < 20'000; ++i) text += "no-such-key-" + std::to_string(i) + " = 1\n";
  const auto errors = errors_of(text);
  ASSERT_EQ(errors.size(), 1001U);
  EXPECT_EQ(errors.back(), "x.toml: these are 1000 errors: no more are shown");
}

TEST(AHostileText, CannotMakeATableThatNoFileHolds) {
  std::string text = "[defaults]\ntrusted = [" + repeated("\"10.0.0.0/8\",", 100) + "]\n";
  for (int i = 0; i < 1000; ++i)
    text += "[service.a" + std::to_string(i) + "]\nhandler = \"echo\"\nlisten = \"tcp/0\"\n";
  EXPECT_EQ(errors_of(print_config(parsed(text))), Lines{});

  std::string many;
  for (int i = 0; i <= 10'000; ++i)
    many += "[service.a" + std::to_string(i) + "]\nhandler=\"echo\"\nlisten=\"tcp/0\"\n";
  EXPECT_EQ(errors_of(many), Lines{"x.toml:30001: a10000: is one too many: at most 10000 services"});
  EXPECT_EQ(errors_of("[service.echo]\nlisten = [" + repeated("\"tcp/0\",", 300) + "]\n"), Lines{});
  EXPECT_EQ(errors_of("[service.echo]\nlisten = [" + repeated("\"tcp/0\",", 301) + "]\n"),
            Lines{"x.toml:2: listen: has 301 items: write at most 300"});
  EXPECT_EQ(errors_of(echo_with("trusted = [" + repeated("\"::1\",", 101) + "]")),
            Lines{"x.toml:3: trusted: has 101 items: write at most 100"});
}

// As a reload sees it while an editor writes.
TEST(AHostileText, ThatIsCutShortAnywhereIsReadOrRefused) {
  const std::string whole =
      "[superd]\ndrain = \"3s\"\n[defaults]\nlevel = 12\ntrusted = [\"10.0.0.0/8\"]\n"
      "[service.echo]\nlisten = [\"tcp/7\", \"unix:/run/x\"]\nmode = \"0600\"\nidle = \"30s\"\n"
      "[service.a]\nprogram = [\"/bin/cat\"]\nlisten = \"tcp/8\"\nnice = 3\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto table = parse_config(whole.substr(0, size), "x.toml");
    if (table)
      EXPECT_EQ(parse_config(print_config(*table), "again.toml"), table) << size;
    else
      EXPECT_TRUE(table.error().front().starts_with("x.toml:")) << size;
  }
}

TEST(AHostileText, OfAnyBytesIsAnError) {
  for (int byte = 0; byte < 256; ++byte)
    for (const auto* before : {"", "x", "x = ", "x = \"", "[", "[service.echo]\nlisten = [\"tcp/", "# "})
      EXPECT_FALSE(errors_of(before + std::string(1, static_cast<char>(byte))).empty()) << byte;
}

TEST(AHostileText, CutAnywhereIsNoMisfortune) {
  const std::string whole = print_config(parsed(default_config()));
  for (std::size_t size = 0; size < 3'000; ++size)
    for (const auto& line : errors_of(whole.substr(0, size))) EXPECT_TRUE(line.starts_with("x.toml:")) << line;
}
