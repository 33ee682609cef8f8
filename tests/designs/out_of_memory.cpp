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
  ~WithoutMemory() override {
    limit_memory(-1);
    thin_out_memory(0);
  }
};

std::vector<DesignSettings> thread_ways() {
  auto ways = ways_to_serve();
  std::erase_if(ways, [](const auto& way) { return find_design(way.design)->uses_engine || forks(way); });
  return ways;
}
INSTANTIATE_TEST_SUITE_P(Under, WithoutMemory, with_transports(thread_ways()), name_of_combination);

}  // namespace

// The main thread has all it wants; those that serve have a number of allocations more, which they share.
TEST_P(WithoutMemory, TheDesignGoesOn) {
  auto settings = way();
  settings.workers = 1;
  Serving serving(settings, {where()}, echoes_stream, echoes_datagram);
  // What a door makes for itself when it opens is not what is looked at here: the one there is has opened now.
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

// So that every place that allocates is met without memory, also those where a client has to wait.
TEST_P(WithoutMemory, TheDesignGoesOnWhereverItRunsOut) {
  Limits limits;
  limits.level = limits.per_client = 3;
  auto settings = way();
  settings.workers = 4;
  Serving serving(settings, {where()}, echoes_stream, echoes_datagram, limits);
  // All of its threads have opened when as many are served at once as may be.
  std::vector<Socket> first;
  for (int i = 0; i < 20; ++i) {
    first.push_back(serving.client());
    ASSERT_TRUE(send_text(first.back(), "hello"));
    ::shutdown(first.back().fd(), SHUT_WR);
    ASSERT_EQ(received_text(first.back()), "hello");
  }
  first.clear();
  for (const unsigned so_many : {1U, 2U, 3U, 5U, 9U}) {
    thin_out_memory(so_many);
    const auto many_come_and_go = [&] {
      std::vector<Socket> clients;
      for (int i = 0; i < 10; ++i) {
        clients.push_back(serving.client());
        (void)send_text(clients.back(), "hello");
        if (i % 2 == 0) ::shutdown(clients.back().fd(), SHUT_WR);
      }
      return memory_was_short();
    };
    EXPECT_TRUE(soon(many_come_and_go)) << so_many;
    for (int i = 0; i < 5; ++i) many_come_and_go();
    thin_out_memory(0);
    ASSERT_TRUE(soon([&] { return serving.hosted->level.count() == 0; })) << so_many;
    const auto next = serving.client();
    ASSERT_TRUE(send_text(next, "still there?"));
    ASSERT_EQ(received_text(next), "still there?") << so_many;
  }
}
