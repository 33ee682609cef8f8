#include "superd/base/log.h"
#include "superd/serve/batch_path.h"
#include "tests/serve/doors.h"
#include "tests/serve/failing_memory.h"

using namespace superd;
using namespace superd::test;

namespace {

class WithoutMemory : public EveryWaiter {
 protected:
  // A program has logged something by then.
  WithoutMemory() { (void)log_enabled(Severity::error); }
};
INSTANTIATE_TEST_SUITE_P(Under, WithoutMemory, ::testing::ValuesIn(engine_names()), name_of_case);

/// Tries something with no memory at all, then with one allocation, and so on, until it needs no more. Once before with
/// all it wants: what a loop makes for its first client and keeps is not what is looked at here.
template <class Try>
void with_ever_more_memory(Try attempt) {
  attempt(1'000'000);
  for (int allocations = 0; allocations < 200; ++allocations) {
    attempt(allocations);
    if (!NoMemoryAfter::was_felt()) return;
  }
  FAIL() << "it never has enough";
}

task<> allocates_and_sleeps(Datagram& request, Notes&) {
  const std::string kept(100, 'x');
  constexpr Millis moment{1};
  const bool slept = co_await request.sleep(moment);
  if (slept) request.reply(kept);
}

}  // namespace

TEST(TheTestsMemory, IsGoneWhenItIsSaidTo) {
  bool got = true;
  {
    const NoMemoryAfter none(0);
    if (void* const room = ::operator new(1, std::nothrow))
      ::operator delete(room);
    else
      got = false;
  }
  EXPECT_FALSE(got);
}

TEST_P(WithoutMemory, AConnectionIsPlacedOrKept) {
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, stays));
  AnyWaiter loop(waiter());
  PlaceHere here(loop.waiter());
  with_ever_more_memory([&](int allocations) {
    auto pair = tcp_pair();
    auto seat = hosted->level.take();
    ::shutdown(pair.client.fd(), SHUT_WR);
    bool placed;
    {
      const NoMemoryAfter shortage(allocations);
      placed = here.place(*hosted, pair.server, *seat);
    }
    EXPECT_EQ(placed, !pair.server.is_open()) << allocations;
    EXPECT_EQ(placed, !seat->is_taken()) << allocations;
    seat->leave();
    loop.run_until_empty(hosted->level);
  });
  EXPECT_EQ(hosted->level.count(), 0);
  EXPECT_GE(hosted->counters.served.value(), 2U);
}

TEST_P(WithoutMemory, ADatagramIsPlacedOrKeptOrFails) {
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr, allocates_and_sleeps));
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  const auto client = client_of(*listener);
  AnyWaiter loop(waiter());
  PlaceHere here(loop.waiter());
  BatchPath path(*listener);
  with_ever_more_memory([&](int allocations) {
    std::unique_ptr<DatagramSlot> slot(new DatagramSlot);
    slot->from = *local_endpoint(client);
    slot->size = 1;
    auto seat = hosted->level.take();
    bool placed;
    {
      const NoMemoryAfter shortage(allocations);
      placed = here.place(listener, slot, path, *seat);
    }
    if (!placed) {
      EXPECT_TRUE(slot && seat->is_taken()) << allocations;
    }
    seat->leave();
    loop.run_until_empty(hosted->level);
  });
  EXPECT_EQ(hosted->level.count(), 0);
  EXPECT_GE(hosted->counters.failed.value(), 1U);
  EXPECT_EQ(hosted->counters.served.value(), 2U);
  EXPECT_EQ(received_text(client), std::string(100, 'x'));
}

TEST_P(WithoutMemory, ADoorGoesOnWithConnections) {
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, stays));
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  AnyWaiter loop(waiter());
  PlaceHere here(loop.waiter());
  Door door(listener, loop.waiter(), here, {});
  door.open();
  with_ever_more_memory([&](int allocations) {
    const auto client = client_of(*listener);
    ::shutdown(client.fd(), SHUT_WR);
    {
      const NoMemoryAfter shortage(allocations);
      for (int turn = 0; turn < 3; ++turn) loop.engine()->turn(Clock::now() + Millis{5});
    }
    loop.run_until_empty(hosted->level);
  });
  const Time patience = Clock::now() + Millis(patience_ms);
  loop.run_until([&] { return hosted->counters.served.value() >= 2 || Clock::now() > patience; });
  EXPECT_GE(hosted->counters.served.value(), 2U);
  door.close();
  loop.run_until([&] { return door.is_closed() && hosted->level.count() == 0; });
}

TEST_P(WithoutMemory, ADoorGoesOnWithDatagrams) {
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr, allocates_and_sleeps));
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  const auto client = client_of(*listener);
  AnyWaiter loop(waiter());
  PlaceHere here(loop.waiter());
  Door door(listener, loop.waiter(), here, {});
  door.open();
  with_ever_more_memory([&](int allocations) {
    EXPECT_TRUE(send_text(client, "?"));
    {
      const NoMemoryAfter shortage(allocations);
      for (int turn = 0; turn < 3; ++turn) loop.engine()->turn(Clock::now() + Millis{5});
    }
    loop.run_until_empty(hosted->level);
  });
  const Time patience = Clock::now() + Millis(patience_ms);
  loop.run_until([&] { return hosted->counters.answered.value() >= 2 || Clock::now() > patience; });
  EXPECT_GE(hosted->counters.answered.value(), 2U);
  door.close();
  loop.run_until([&] { return door.is_closed() && hosted->level.count() == 0; });
}
