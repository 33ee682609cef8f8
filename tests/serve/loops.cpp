#include <algorithm>

#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

class ALoop : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Of, ALoop, ::testing::ValuesIn(engine_names()), name_of_case);

}  // namespace

TEST_P(ALoop, LendsBytesThatStayWhileOthersReceive) {
  // A handler keeps its chunk over a wait; another client's bytes must not land in the same buffer.
  AnyWaiter loop(waiter());
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, [](Connection& client, Notes& shared) -> task<> {
    const auto chunk = co_await client.read();
    ++shared.present;
    const auto both_here = +[](const Notes& all) { return all.present == 2; };
    co_await waits_until(client, shared, both_here);
    shared.add(std::string(chunk.text()));
  }));
  auto one = tcp_pair(), other = tcp_pair();
  std::jthread serving([&] {
    auto seat = hosted->level.take(), second = hosted->level.take();
    converse(*hosted, one.server, loop.waiter(), *seat);
    converse(*hosted, other.server, loop.waiter(), *second);
    loop.run_until_empty(hosted->level);
  });
  ASSERT_TRUE(send_text(one.client, "first"));
  ASSERT_TRUE(soon([&] { return notes.present == 1; }));
  ASSERT_TRUE(send_text(other.client, "SECOND"));
  serving.join();
  auto seen = notes.all();
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (std::vector<std::string>{"SECOND", "first"}));
}

TEST_P(ALoop, ServesAllWhoseHandlersSleepAtOnce) {
  AnyWaiter loop(waiter());
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, [](Connection& client, Notes& shared) -> task<> {
    ++shared.present;
    const auto twenty_here = +[](const Notes& all) { return all.present == 20; };
    const bool all_here = co_await waits_until(client, shared, twenty_here);
    shared.add(all_here ? "met" : "alone");
  }));
  std::vector<Pair> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back(tcp_pair());
  for (auto& pair : pairs) {
    auto seat = hosted->level.take();
    converse(*hosted, pair.server, loop.waiter(), *seat);
  }
  loop.run_until_empty(hosted->level);
  EXPECT_EQ(notes.all(), std::vector<std::string>(20, "met"));
}
