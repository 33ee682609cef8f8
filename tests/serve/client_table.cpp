#include "superd/serve/client_table.h"

#include <map>
#include <random>

#include "superd/base/shared_memory.h"
#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

namespace {

SeatKey key_of(int client_number, std::uint32_t process = 0) { return {client(client_number), process}; }

class AClientTable : public ::testing::Test {
 protected:
  SharedMemory memory_{"test", sizeof(ClientTable)};
  ClientTable& table_ = memory_.as<ClientTable>();
};

}  // namespace

TEST_F(AClientTable, IsWhatAMapIs) {
  table_.reserve(64);
  std::map<int, std::uint32_t> model;
  std::mt19937 random(1);
  for (int step = 0; step < 200'000; ++step) {
    const int number = static_cast<int>(random() % 200);
    const bool is_full = model.size() == 64;
    const auto count = random() % 3;
    if (is_full && !model.contains(number)) continue;
    table_.put(key_of(number), static_cast<std::uint32_t>(count));
    if (count == 0)
      model.erase(number);
    else
      model[number] = static_cast<std::uint32_t>(count);
    if (step % 1'000 != 0) continue;
    if (step % 7'000 == 0) table_.repair();
    for (int other = 0; other < 200; ++other)
      ASSERT_EQ(table_.look_up(key_of(other)).count, model.contains(other) ? model[other] : 0) << step;
  }
}

TEST_F(AClientTable, GrowsWithAllThatIsInIt) {
  table_.reserve(64);
  for (int i = 0; i < 64; ++i) table_.put(key_of(i), static_cast<std::uint32_t>(i + 1));
  table_.reserve(100'000);
  for (int i = 64; i < 100'000; ++i) table_.put(key_of(i), 1);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(table_.look_up(key_of(i)).count, static_cast<std::uint32_t>(i + 1));
  EXPECT_EQ(table_.look_up(key_of(99'999)).count, 1U);
}

TEST_F(AClientTable, TellsProcessesApart) {
  table_.reserve(64);
  table_.put(key_of(1), 3);
  table_.put(key_of(1, 10), 1);
  table_.put(key_of(1, 11), 2);
  EXPECT_EQ(table_.look_up(key_of(1, 10)).count, 1U);
  std::size_t from = 0;
  const auto* found = table_.next_of(11, from);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, key_of(1, 11));
  from = 0;
  EXPECT_FALSE(table_.next_of(12, from));
}

TEST_F(AClientTable, IsHealedOfGaps) {
  table_.reserve(64);
  for (int i = 0; i < 64; ++i) table_.put(key_of(i), 5);
  // As left by a process that was killed while it closed a gap.
  int gaps = 0;
  for (int i = 0; i < 64; i += 8) {
    table_.look_up(key_of(i)).count = 0;
    ++gaps;
  }
  table_.repair();
  int found = 0;
  for (int i = 0; i < 64; ++i) found += table_.look_up(key_of(i)).count == 5;
  EXPECT_EQ(found, 64 - gaps);
}
