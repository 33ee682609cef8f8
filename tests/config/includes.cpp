#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, gone after the test.
class Includes : public testing::Test {
 public:
  Includes() {
    std::string name = (fs::temp_directory_path() / "superd-include-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed");
    folder_ = name;
    fs::create_directory(folder_ / "d");
  }
  ~Includes() override { fs::remove_all(folder_); }
  Includes(const Includes&) = delete;
  Includes& operator=(const Includes&) = delete;

 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string with(const std::string& name, std::string_view text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  static std::string service(const std::string& name, int port, const std::string& more = "handler = \"echo\"\n") {
    return "[service." + name + "]\nlisten = [\"tcp/" + std::to_string(port) + "\"]\n" + more;
  }
  std::vector<std::string> names(const std::string& main) {
    auto table = read_config(main, &skipped_);
    if (!table) {
      for (const auto& line : table.error()) ADD_FAILURE() << line;
      return {};
    }
    std::vector<std::string> names;
    for (const auto& each : table->services) names.push_back(each.name);
    return names;
  }
  Lines errors(const std::string& main) {
    auto table = read_config(main, &skipped_);
    return table ? Lines{} : table.error();
  }

  fs::path folder_;
  Lines skipped_;
};

}  // namespace

TEST_F(Includes, AreFilesAndDirectoriesRelativeToWhoNamesThem) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\", \"more.toml\"]\n" + service("a", 1));
  with("d/2.toml", service("c", 3));
  with("d/1.toml", "[superd]\ninclude = [\"../deep.toml\"]\n" + service("b", 2));
  with("d/3.conf", "nonsense");
  with("d/.4.toml", "nonsense");
  with("deep.toml", service("deep", 4));
  with("more.toml", service("more", 5));
  EXPECT_EQ(names(main), (std::vector<std::string>{"a", "b", "deep", "c", "more"}));
}

TEST_F(Includes, GetTheDefaultsOfWhoIncludesThemAndHaveTheirOwn) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\"]\n[defaults]\nlevel = 7\nper_client = 3\n");
  with("d/1.toml", "[defaults]\nlevel = 9\n" + service("a", 1));
  with("d/2.toml", service("b", 2));
  const auto table = read_config(main);
  ASSERT_TRUE(table.has_value()) << table.error().front();
  EXPECT_EQ(table->services[0].limits.level, 9);
  EXPECT_EQ(table->services[0].limits.per_client, 3);
  EXPECT_EQ(table->services[1].limits.level, 7);
}

TEST_F(Includes, ArePrintedAsTheWholeThatReadsBackEqual) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\"]\n" + service("a", 1));
  with("d/1.toml", service("b", 2));
  const auto table = read_config(main).value();
  const auto again = parse_config(print_config(table), "printed");
  ASSERT_TRUE(again.has_value()) << again.error().front();
  EXPECT_EQ(*again, table);
}

TEST_F(Includes, NameTheirOwnFileAndLine) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\"]\n" + service("a", 1));
  const auto one = with("d/1.toml", service("b", 2, "level = 0\n"));
  const auto two = with("d/2.toml", "[service.c]\nlisten = [\n");
  const auto told = errors(main);
  ASSERT_GE(told.size(), 2U);
  EXPECT_TRUE(told[0].starts_with(one + ":1: ") || told[0].starts_with(one + ":3: level: ")) << told[0];
  EXPECT_TRUE(told.back().starts_with(two + ":2: ") || told.back().starts_with(two + ":3: ")) << told.back();
}

TEST_F(Includes, ThatGiveAServiceTwiceNameBothPlaces) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\"]\n" + service("a", 1));
  const auto one = with("d/1.toml", "\n" + service("a", 2));
  EXPECT_EQ(errors(main),
            Lines{one + ":2: a: is given in " + main + ":3 already: remove one of the two, or rename it"});
}

TEST_F(Includes, AtTheSamePlaceNameBothPlaces) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\"]\n" + service("a", 7));
  const auto one = with("d/1.toml", service("b", 7));
  EXPECT_EQ(errors(main), Lines{one + ":2: listen: \"tcp/7\" is the same place as \"tcp/7\" of a in " + main +
                                ":4: remove one of the two"});
}

TEST_F(Includes, ThatIncludeEachOtherAreAnError) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d/1.toml\"]\n" + service("a", 1));
  const auto one = with("d/1.toml", "[superd]\ninclude = [\"../main.toml\"]\n" + service("b", 2));
  EXPECT_EQ(errors(main),
            Lines{one + ":2: include: \"" + path("d/") + "../main.toml\" is read already: name each file once"});
}

TEST_F(Includes, GoOnlySoDeep) {
  for (int i = 0; i < 20; ++i)
    with("f" + std::to_string(i) + ".toml",
         "[superd]\ninclude = [\"f" + std::to_string(i + 1) + ".toml\"]\n" + service("s" + std::to_string(i), 100 + i));
  const auto told = errors(path("f0.toml"));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], path("f8.toml") + ":2: include: is the file 9 files deep: at most 8");
}

TEST_F(Includes, ThatAreNotThereOrNoFilesAreErrors) {
  ASSERT_EQ(mkfifo(path("d/pipe.toml").c_str(), 0600), 0);
  ASSERT_EQ(symlink("loop.toml", path("d/loop.toml").c_str()), 0);
  fs::create_directory(folder_ / "d" / "sub.toml");
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\", \"nowhere\"]\n" + service("a", 1));
  EXPECT_EQ(errors(main).size(), 4U);
}

TEST_F(Includes, OfADirectoryAreSkippedWhereThatIsWished) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\"]\ninclude_errors = \"skip\"\n" + service("a", 1));
  with("d/1.toml", service("b", 2));
  const auto syntax = with("d/2.toml", "[service.c\n");
  const auto value = with("d/3.toml", service("d", 3, "level = 0\n"));
  const auto twice = with("d/4.toml", service("a", 4));
  const auto place = with("d/5.toml", service("e", 1));
  ASSERT_EQ(mkfifo(path("d/6.toml").c_str(), 0600), 0);
  with("d/7.toml", service("f", 7));
  EXPECT_EQ(names(main), (std::vector<std::string>{"a", "b", "f"}));
  for (const auto& wrong : {syntax, value, twice, place, path("d/6.toml")})
    EXPECT_EQ(std::ranges::count_if(skipped_, [&](const auto& line) { return line.starts_with(wrong + ":"); }) > 0,
              true)
        << wrong;
  skipped_.clear();
  with("main.toml", "[superd]\ninclude = [\"d\", \"d/1.toml\"]\ninclude_errors = \"skip\"\n" + service("a", 1));
  EXPECT_FALSE(errors(main).empty()) << "what the main file is wrong about is no file's of the directory";
}

TEST_F(Includes, HaveNoKeysOfTheProgramButTheirOwnIncludes) {
  const auto main = with("main.toml", "[superd]\ninclude = [\"d\"]\n" + service("a", 1));
  const auto one = with("d/1.toml", "[superd]\ndrain = \"1s\"\n" + service("b", 2));
  EXPECT_EQ(errors(main), Lines{one + ":2: drain: stands in a file that another one includes: put it into that"});
}

TEST(AText, IncludesNothing) {
  EXPECT_EQ(errors_of("[superd]\ninclude = [\"/etc\"]\n[service.echo]\nlisten = [\"tcp/7\"]\n"),
            Lines{"x.toml:2: include: is for files: this text is in none"});
}
