#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "superd/base/shared_memory.h"
#include "superd/serve/rate_table.h"
#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;
using namespace std::chrono_literals;

namespace {

Rate rate(std::string_view text) { return parse_rate(text).value(); }

class ARateTable : public ::testing::Test {
 protected:
  bool takes(const ClientKey& key, std::string_view at) { return table_.take(key, now, rate(at)).has_value(); }
  int taken(const ClientKey& key, std::string_view at, int times) {
    int count = 0;
    for (int i = 0; i < times; ++i) count += takes(key, at);
    return count;
  }

  SharedMemory memory_{"test", sizeof(RateTable)};
  RateTable& table_ = memory_.as<RateTable>();
  Time now{std::chrono::hours(1)};
};

ClientKey stranger(std::uint64_t number) { return {0x2001'0db8'0000'0000 + number, 0}; }

}  // namespace

TEST(ARate, IsReadAndPrinted) {
  EXPECT_EQ(rate("20/s"), (Rate{20, 1s, 20}));
  EXPECT_EQ(rate("60/m"), (Rate{60, 60s, 60}));
  EXPECT_EQ(rate("5/h burst 2"), (Rate{5, 3600s, 2}));
  for (const auto* text : {"20/s", "60/m", "5/h burst 2", "1000000/s", "1/h burst 24"})
    EXPECT_EQ(format_rate(rate(text)), text);
  EXPECT_EQ(format_rate(rate("7/s burst 7")), "7/s");
}

TEST(ARate, IsRefusedWhereItIsNone) {
  for (const auto* text :
       {"", "20", "/s", "0/s", "-1/s", "20/d", "20/ s", "20/s ", "20/s burst", "20/s burst 0", "1.5/s", "20/s burst 4x",
        "20/sec", "1000001/s", "99999999999/s", "1/s burst 1000001", "20 /s"})
    EXPECT_FALSE(parse_rate(text)) << text;
  EXPECT_NE(parse_rate("1/h burst 25").error().what.find("longer than a day"), std::string::npos);
}

TEST_F(ARateTable, LetsABurstThroughAtOnceAndThenTheRate) {
  EXPECT_EQ(taken(client(1), "10/s burst 30", 100), 30);
  now += 100ms;
  EXPECT_EQ(taken(client(1), "10/s burst 30", 100), 1);
  now += 10s;
  EXPECT_EQ(taken(client(1), "10/s burst 30", 100), 30);
}

TEST_F(ARateTable, KeepsSlowRates) {
  EXPECT_EQ(taken(client(1), "1/h", 5), 1);
  now += 3599s;
  EXPECT_FALSE(takes(client(1), "1/h"));
  now += 1s;
  EXPECT_TRUE(takes(client(1), "1/h"));
}

TEST_F(ARateTable, ForgivesWhoCameBackAfterAYear) {
  taken(client(1), "1/h burst 24", 100);
  // The times in the table go round once in three days and a quarter.
  for (int hours = 50; hours < 24 * 365; hours += 7) {
    now += 7h;
    table_.take(client(2), now, rate("1000000/s"));
  }
  EXPECT_EQ(taken(client(1), "1/h burst 24", 100), 24);
}

TEST_F(ARateTable, TakesInAdvanceForThoseWhoHaveTime) {
  const auto at = rate("10/s burst 1");
  EXPECT_EQ(table_.take(client(1), now, at, 1s), 0ns);
  for (int i = 1; i <= 10; ++i) {
    const auto wait = table_.take(client(1), now, at, 1s);
    ASSERT_TRUE(wait) << i;
    EXPECT_LE(*wait, i * 100ms);
    EXPECT_GT(*wait, i * 100ms - 1us);
  }
  EXPECT_FALSE(table_.take(client(1), now, at, 1s));
  EXPECT_EQ(table_.take(client(2), now, at, 1s), 0ns);
}

TEST_F(ARateTable, HasThousandsOfClientsWhoDoNotDisturbEachOther) {
  for (std::uint64_t i = 0; i < 2'000; ++i) EXPECT_TRUE(takes(stranger(i), "1/s")) << i;
}

TEST_F(ARateTable, LocksNobodyOutWhenItIsFullOfAttackers) {
  // Each of a million made-up sources is as far over its rate as it can be.
  for (std::uint64_t i = 0; i < 1'000'000; ++i) taken(stranger(i), "2/s", 3);
  int served = 0;
  for (int i = 0; i < 1'000; ++i) served += takes(client(i), "2/s");
  EXPECT_EQ(served, 1'000);
}

TEST_F(ARateTable, RemembersWhoIsFurthestOverHisRateInAFloodOfOthers) {
  taken(client(1), "10/s", 100);
  for (std::uint64_t i = 0; i < 100'000; ++i) takes(stranger(i), "10/s");
  EXPECT_EQ(taken(client(1), "10/s", 100), 0);
}

TEST_F(ARateTable, IsSharedByThreadsWithoutLosingAToken) {
  std::atomic<int> count{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 5'000; ++i) count += table_.take(client(1), now, rate("1000/s")).has_value();
      });
  }
  EXPECT_EQ(count, 1'000);
}

TEST_F(ARateTable, IsSharedByProcesses) {
  EXPECT_EQ(taken(client(1), "10/s", 4), 4);
  const pid_t child = fork();
  if (child == 0) _exit(taken(client(1), "10/s", 100));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 6);
  EXPECT_FALSE(takes(client(1), "10/s"));
}

TEST_F(ARateTable, IsSmall) { EXPECT_LE(sizeof(RateTable), 65U * 1024); }
