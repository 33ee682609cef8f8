#include "superd/engines/engines.h"
#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Every design, with the default engine.
std::vector<std::string> design_names() {
  std::vector<std::string> names;
  for (const auto& entry : designs()) names.emplace_back(entry.name);
  return names;
}
std::string name_of_case(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

class Draining : public ::testing::TestWithParam<std::string> {
 protected:
  DesignSettings design() const { return {.design = GetParam()}; }
};
INSTANTIATE_TEST_SUITE_P(Under, Draining, ::testing::ValuesIn(design_names()), name_of_case);

task<> echoes(Connection& client, Notes& notes) {
  ++notes.present;
  while (auto chunk = co_await client.read())
    if (!co_await client.write(chunk)) break;
  notes.add(std::string(name_of(client.end())));
}

/// Its one handler was told that it was cut; a process is killed, which it does not notice.
void expect_cut(const OwnService& own) {
  const auto notes = own.notes.all();
  EXPECT_EQ(notes, !own.forks ? std::vector<std::string>{"cut"} : std::vector<std::string>{});
  EXPECT_EQ(own.host.hosted().front()->counters.cut.value(), 1U);
}

constexpr Millis long_time = std::chrono::hours(1);

}  // namespace

TEST_P(Draining, EndsAtOnceWhenNobodyIsThere) {
  OwnService own(echoes, design());
  const auto [cut, stuck] = drain(own.host, long_time, {});
  EXPECT_EQ(cut, 0);
  EXPECT_EQ(stuck, 0);
}

TEST_P(Draining, LetsConversationsFinish) {
  OwnService own(echoes, design());
  auto client = own.client();
  ASSERT_TRUE(send_text(client, "before"));
  ASSERT_EQ(received_text(client), "before");
  std::jthread talking([&] {
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(send_text(client, "meanwhile"));
      EXPECT_EQ(received_text(client), "meanwhile");
    }
    client.reset();
  });
  const auto [cut, stuck] = drain(own.host, long_time, {});
  EXPECT_EQ(cut, 0);
  EXPECT_EQ(stuck, 0);
  EXPECT_EQ(own.notes.all(), std::vector<std::string>{"finished"});
}

TEST_P(Draining, CutsThoseWhoStayAtTheDeadline) {
  OwnService own(echoes, design());
  const auto client = own.client();
  ASSERT_TRUE(soon([&] { return own.notes.present == 1; }));
  const auto [cut, stuck] = drain(own.host, Millis{20}, {});
  EXPECT_EQ(cut, 1);
  EXPECT_EQ(stuck, 0);
  expect_cut(own);
  EXPECT_TRUE(is_closed_by_peer(client));
}

TEST_P(Draining, CutsHandlersThatSleep) {
  OwnService own(
      [](Connection& client, Notes& notes) -> task<> {
        ++notes.present;
        const bool slept = co_await client.sleep(long_time);
        notes.add(slept ? "slept" : "cut");
      },
      design());
  const auto client = own.client();
  ASSERT_TRUE(soon([&] { return own.notes.present == 1; }));
  EXPECT_EQ(drain(own.host, Millis{0}, {}).cut, 1);
  expect_cut(own);
}

TEST_P(Draining, CutsAtOnceInAHurry) {
  OwnService own(echoes, design());
  const auto client = own.client();
  ASSERT_TRUE(soon([&] { return own.notes.present == 1; }));
  int asked = 0;
  const auto [cut, stuck] = drain(own.host, long_time, [&] { return ++asked == 3; });
  EXPECT_EQ(cut, 1);
  EXPECT_EQ(stuck, 0);
  EXPECT_EQ(asked, 3);
}

TEST_P(Draining, TakesNobodyInAnyMore) {
  OwnService own(echoes, design());
  (void)drain(own.host, long_time, {});
  EXPECT_FALSE(own.client().is_open()) << "refused: the listener is closed";
}

TEST(ADrain, ReportsAHandlerThatDoesNotReturn) {
  for (const auto* design : {"threads", "event"}) {
    // It notices nothing: it is in a call of its own.
    OwnService own(
        [](Connection&, Notes& notes) -> task<> {
          ++notes.present;
          soon([&] { return notes.may_go.load(); });
          co_return;
        },
        {.design = design});
    const auto client = own.client();
    ASSERT_TRUE(soon([&] { return own.notes.present == 1; }));
    const auto [cut, stuck] = drain(own.host, Millis{0}, {});
    EXPECT_EQ(cut, 1) << design;
    EXPECT_EQ(stuck, 1) << design;
    own.notes.may_go = true;
  }
}

TEST_P(Draining, IsWhatAHostDoesInItsEnd) {
  auto own = std::make_unique<OwnService>(echoes, design());
  const auto client = own->client();
  ASSERT_TRUE(soon([&] { return own->notes.present == 1; }));
  own.reset();
  EXPECT_TRUE(is_closed_by_peer(client));
}
