#include <sys/resource.h>

#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

std::vector<std::string> bounded_engines() {
  auto names = engine_names();
  std::erase_if(names, [](const auto& name) { return find_engine(name)->capacity == 0; });
  return names;
}

class AnEngineWithABound : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Of, AnEngineWithABound, ::testing::ValuesIn(bounded_engines()), name_of_case);

}  // namespace

TEST_P(AnEngineWithABound, EndsAConversationThatItCannotHold) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const auto chunk = co_await client.read();
    notes.add(chunk ? "chunk" : name_of_end(client));
  });
  const int beyond = ::fcntl(conversation.server().fd(), F_DUPFD_CLOEXEC, find_engine(waiter())->capacity);
  if (beyond < 0) GTEST_SKIP() << "not that many descriptors";
  conversation.server().reset(beyond);
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().back(), "engine full");
  EXPECT_EQ(conversation.counted(&Counters::engine_full), 1U);
  EXPECT_TRUE(is_closed_by_peer(conversation.client));
}
