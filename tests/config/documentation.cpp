#include <fstream>
#include <map>
#include <sstream>

#include "superd/config/keys.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;

namespace {

constexpr auto page = "docs/configuration.md";

/// The cells of a row of a table, without the blanks around them.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream row(line.substr(1));
  for (std::string cell; std::getline(row, cell, '|');) {
    const auto begin = cell.find_first_not_of(' ');
    cells.push_back(begin == cell.npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin));
  }
  return cells;
}

/// The rows of the page's tables of keys.
std::map<std::string, std::vector<std::string>> documented_keys() {
  std::map<std::string, std::vector<std::string>> rows;
  std::ifstream file(page);
  bool in_keys = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "| key | default | value | meaning |") in_keys = true;
    if (line.empty()) in_keys = false;
    if (!in_keys || !line.starts_with("| `")) continue;
    const auto cells = cells_of(line);
    const auto name = cells[0].substr(1, cells[0].size() - 2);
    EXPECT_TRUE(rows.emplace(name, cells).second) << name << " is documented twice";
  }
  return rows;
}

}  // namespace

TEST(TheDocumentation, HasEveryKeyAndNoOther) {
  const auto rows = documented_keys();
  for (const auto& key : keys())
    EXPECT_TRUE(rows.contains(std::string(key.name))) << key.name << " is missing in " << page;
  for (const auto& [name, cells] : rows) EXPECT_TRUE(find_key(name)) << name << " in " << page << " is no key";
}

TEST(TheDocumentation, SaysWhatMayBeWrittenAndTheDefault) {
  const auto rows = documented_keys();
  for (const auto& key : keys()) {
    const auto found = rows.find(std::string(key.name));
    if (found == rows.end()) continue;
    const auto& cells = found->second;
    ASSERT_EQ(cells.size(), 4U) << key.name;
    EXPECT_EQ(cells[2], key.wants(key.bounds)) << key.name;
    if (key.place == Place::service) continue;  // these have no default
    const auto value = key.write(ServiceTable{}, ServiceSettings{});
    EXPECT_EQ(cells[1], value.empty() ? "not set" : "`" + value + "`") << key.name;
  }
}

TEST(TheDocumentation, HasAnExampleThatIsRight) {
  std::ifstream file(page);
  std::string text, line;
  while (std::getline(file, line) && line != "```toml") {
  }
  while (std::getline(file, line) && line != "```") text += line + "\n";
  EXPECT_GT(text.size(), 200U);
  EXPECT_EQ(errors_of(text), Lines{});
}
