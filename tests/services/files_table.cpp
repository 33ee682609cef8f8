#include <gtest/gtest.h>

#include <thread>

#include "superd/services/files/file_table.h"
#include "superd/services/files/sessions.h"
#include "tests/services/files_test.h"
#include "tests/services/services_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// A table of some kind, with ten files "0" to "9" and more where they are asked for.
class Table {
 public:
  explicit Table(TableKind kind, int files = 4) : table(make_file_table({.table = kind, .table_files = files})) {
    for (int i = 0; i < 10; ++i) folder.write(std::to_string(i), "content " + std::to_string(i));
  }

  std::string content(const std::string& name, std::string_view client = "10.0.0.1:1000") {
    const auto from = endpoint(client);
    const auto found = table->use(tree, name, {from, now, counters}, Tree::Look::anywhere);
    return found ? content_of(found->file->file) : std::string(name_of(found.error()));
  }
  std::uint64_t hits() { return counters.file_hits.value(); }
  std::uint64_t misses() { return counters.file_misses.value(); }

  FileFolder folder;
  Tree tree = Tree::open(folder.path(), {}).value();
  std::unique_ptr<FileTable> table;
  Counters counters;
  Time now = Clock::now();
};

class EveryTable : public testing::TestWithParam<TableKind> {};

std::string client_of(int prefix, int port) {
  return "10." + std::to_string(prefix / 256) + "." + std::to_string(prefix % 256) + ".1:" + std::to_string(port);
}

/// 50 readers, each in its own prefix, read a file each, again and again; between their reads a client crashes and comes
/// again from a new port, and reads something. The share of hits among what the readers asked.
double hit_rate_beside_a_client_that_crashes(TableKind kind, int crashes) {
  Table table(kind, 64);
  for (int i = 0; i < 300; ++i) table.folder.write("f" + std::to_string(i), "x");
  const auto read = [&](int reader) { table.content("f" + std::to_string(reader), client_of(reader, 2000)); };
  for (int reader = 0; reader < 50; ++reader) read(reader);
  const auto before = table.hits();
  std::uint64_t asked = 0, crashed_hits = 0;
  for (int crash = 0; crash < crashes; ++crash) {
    const auto hits = table.hits();
    table.content("f" + std::to_string(crash % 300), client_of(60'000, 1024 + crash));
    crashed_hits += table.hits() - hits;
    if (crash % 2 != 0) continue;
    read(crash / 2 % 50);
    ++asked;
  }
  return static_cast<double>(table.hits() - before - crashed_hits) / static_cast<double>(asked);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Of, EveryTable, testing::Values(TableKind::off, TableKind::chapter, TableKind::safe));

TEST_P(EveryTable, HandsOutWhatWasAskedForEmptyFullAndLost) {
  Table table(GetParam());
  for (int round = 0; round < 5; ++round) {
    if (round == 2) table.table->lose_all();
    for (int i = 0; i < 10; ++i) EXPECT_EQ(table.content(std::to_string(i)), "content " + std::to_string(i));
  }
  EXPECT_LE(table.table->size(), 4U);
  EXPECT_EQ(table.hits() + table.misses(), 50U);
}

TEST_P(EveryTable, KeepsAFileOpenForWhoReadsItWhateverTheTableDoes) {
  Table table(GetParam());
  const auto from = endpoint("10.0.0.1:1000");
  const auto found = table.table->use(table.tree, "0", {from, table.now, table.counters}, Tree::Look::anywhere);
  table.table->lose_all();
  std::filesystem::remove(table.folder.path("0"));
  EXPECT_EQ(content_of(found->file->file), "content 0");
}

TEST(TheSafeTable, IsRightWhenItsEntriesAreWrong) {
  Table table(TableKind::safe, 16);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(table.content(std::to_string(i)), "content " + std::to_string(i));
    table.table->confuse();
  }
  EXPECT_GT(table.counters.file_changes.value(), 0U);
}

TEST(TheSafeTable, SeesWhatBecameOfAName) {
  Table table(TableKind::safe);
  EXPECT_EQ(table.content("0"), "content 0");
  table.folder.write("0", "longer than before");
  EXPECT_EQ(table.content("0"), "longer than before");
  std::filesystem::rename(table.folder.path("1"), table.folder.path("0"));
  EXPECT_EQ(table.content("0"), "content 1");
  EXPECT_EQ(table.counters.file_changes.value(), 1U);
  chmod(table.folder.path("0").c_str(), 0600);
  EXPECT_EQ(table.content("0"), "not permitted");
  std::filesystem::remove(table.folder.path("0"));
  EXPECT_EQ(table.content("0"), "no such file");
  table.folder.link("0", "/etc/passwd");
  EXPECT_EQ(table.content("0"), "not permitted");
}

TEST(TheSafeTable, HasOneEntryForAFileWhoeverReadsItByWhateverName) {
  Table table(TableKind::safe);
  table.folder.link("link", "0");
  for (int i = 0; i < 100; ++i) table.content(i % 2 ? "0" : "link", client_of(i, 1000 + i));
  EXPECT_EQ(table.table->size(), 1U);
  EXPECT_EQ(table.misses(), 1U);
  EXPECT_EQ(table.hits(), 99U);
}

TEST(TheSafeTable, ClosesWhatNobodyUses) {
  Table table(TableKind::safe);
  table.content("0");
  table.now += Seconds(10);
  table.content("1");
  EXPECT_EQ(table.table->close_idle(table.now, table.counters), table.now + Seconds(10));
  EXPECT_EQ(table.table->close_idle(table.now + Seconds(10), table.counters), table.now + Seconds(20));
  EXPECT_EQ(table.table->size(), 1U);
  EXPECT_EQ(table.table->close_idle(table.now + Seconds(20), table.counters), never);
  EXPECT_EQ(table.counters.file_idle.value(), 2U);
}

TEST(TheSafeTable, IsForManyThreads) {
  Table table(TableKind::safe, 3);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&table, t] {
        const auto from = endpoint(client_of(t, 1000));
        for (int i = 0; i < 400; ++i) {
          const auto name = std::to_string((i + t) % 10);
          const auto found =
              table.table->use(table.tree, name, {from, table.now, table.counters}, Tree::Look::anywhere);
          ASSERT_TRUE(found);
          EXPECT_EQ(content_of(found->file->file), "content " + name);
        }
      });
  }
  EXPECT_EQ(table.hits() + table.misses(), 1600U);
}

// The chapter's warning (slide 9), and what it is worth: the same client, the same readers, another table.
TEST(AClientThatCrashesTenThousandTimes, TakesTheHitsOfOthersUnderTheChaptersTableAndNotUnderTheSafeOne) {
  EXPECT_EQ(hit_rate_beside_a_client_that_crashes(TableKind::safe, 10'000), 1.0);
  EXPECT_LT(hit_rate_beside_a_client_that_crashes(TableKind::chapter, 10'000), 0.05);
}

TEST(Sessions, AreBoundedInAllAndForEachPrefix) {
  Sessions<int> sessions({.most = 20, .most_per_prefix = 8});
  Counter evictions;
  for (int i = 0; i < 1000; ++i)
    sessions.with(endpoint(client_of(1, 1000 + i)), evictions, [&](int& value) { value = i; });
  EXPECT_EQ(sessions.size(), 8U);
  for (int i = 0; i < 1000; ++i)
    sessions.with(endpoint(client_of(2 + i, 1000)), evictions, [](int& value) { value = 1; });
  EXPECT_EQ(sessions.size(), 20U);
  EXPECT_EQ(evictions.value(), 992U + 988U);
}

TEST(Sessions, OfOthersSurviveAFloodFromOnePrefix) {
  Sessions<int> sessions({.most = 100, .most_per_prefix = 60});
  Counter evictions;
  for (int i = 0; i < 50; ++i) sessions.with(endpoint(client_of(i, 1000)), evictions, [](int& value) { value = 7; });
  for (int i = 0; i < 10'000; ++i)
    sessions.with(endpoint(client_of(60'000, 1000 + i)), evictions, [](int& value) { value = 1; });
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(sessions.with_known(endpoint(client_of(i, 1000)), [](int& value) { EXPECT_EQ(value, 7); })) << i;
}

TEST(Sessions, AreForgottenOneByOneOrByWhatTheyAre) {
  Sessions<int> sessions({.most = 100, .most_per_prefix = 60});
  Counter evictions;
  for (int i = 0; i < 30; ++i)
    sessions.with(endpoint(client_of(i % 3, 1000 + i)), evictions, [&](int& value) { value = i; });
  sessions.forget(endpoint(client_of(0, 1000)));
  sessions.forget(endpoint(client_of(0, 1000)));
  EXPECT_EQ(sessions.size(), 29U);
  EXPECT_EQ(sessions.forget_if([](int value) { return value % 2 == 0; }), 14U);
  EXPECT_EQ(sessions.size(), 15U);
  EXPECT_TRUE(sessions.with_known(endpoint(client_of(1, 1001)), [](int& value) { EXPECT_EQ(value, 1); }));
  sessions.lose_all();
  EXPECT_EQ(sessions.size(), 0U);
}
