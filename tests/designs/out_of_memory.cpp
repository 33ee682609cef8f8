#include "superd/base/log.h"
#include "tests/designs/designs_test.h"
#include "tests/designs/failing_memory.h"

using namespace superd;
using namespace superd::test;

namespace {

class WithoutMemory : public EveryWayAndTransport {
 protected:
  // A program has logged something by then.
  WithoutMemory() { (void)log_enabled(Severity::error); }
  ~WithoutMemory() override { limit_memory(-1); }
};

std::vector<DesignSettings> thread_ways() {
  auto ways = ways_to_serve();
  std::erase_if(ways, [](const auto& way) { return find_design(way.design)->uses_engine; });
  return ways;
}
INSTANTIATE_TEST_SUITE_P(Under, WithoutMemory, with_transports(thread_ways()), name_of_combination);

}  // namespace

// The main thread has all it wants; those that serve have a number of allocations more, which they share.
TEST_P(WithoutMemory, TheDesignGoesOn) {
  Serving serving(way(), {where()}, echoes_stream, echoes_datagram);
  // What a door makes for itself when it opens is not what is looked at here.
  const auto first = serving.client();
  ASSERT_TRUE(send_text(first, "hello"));
  ASSERT_EQ(received_text(first), "hello");
  ::shutdown(first.fd(), SHUT_WR);
  ASSERT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
  auto& counters = serving.hosted->counters;
  const auto ended = [&] { return counters.served.value() + counters.failed.value(); };
  for (int allocations = 0;; ++allocations) {
    ASSERT_LT(allocations, 200) << "it never has enough";
    const auto before = ended();
    limit_memory(allocations);
    const auto client = serving.client();
    // Which fails when it was refused by then.
    (void)send_text(client, "hello");
    ::shutdown(client.fd(), SHUT_WR);
    EXPECT_TRUE(soon([&] { return ended() > before || memory_was_short(); })) << allocations;
    limit_memory(-1);
    EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; })) << allocations;
    const auto next = serving.client();
    ASSERT_TRUE(send_text(next, "still there?"));
    ASSERT_EQ(received_text(next), "still there?") << allocations;
    if (!memory_was_short()) return;
  }
}
