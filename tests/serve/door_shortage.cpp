#include <sys/resource.h>

#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

class ADoorInNeed : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, ADoorInNeed, ::testing::ValuesIn(engine_names()), name_of_case);

/// No new descriptor is to be had while this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const Socket next(::dup(0));
    const rlimit none{static_cast<rlim_t>(next.fd()), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// Refuses to place, as when no thread is to be had.
class Reluctant final : public Placement {
 public:
  explicit Reluctant(Waiter& waiter) : here_(waiter) {}
  bool place(HostedService& hosted, Socket& socket, Seat& seat) override {
    return --refusals < 0 && here_.place(hosted, socket, seat);
  }
  bool place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
             Seat& seat) override {
    return --refusals < 0 && here_.place(listener, slot, path, seat);
  }
  int refusals = 3;

 private:
  PlaceHere here_;
};

}  // namespace

TEST_P(ADoorInNeed, OfDescriptorsWaitsAndGoesOnWhenThereAreSome) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 10, 10, [](Connection& client, Notes&) -> task<> {
    while (auto chunk = co_await client.read())
      if (!co_await client.write(chunk)) break;
  });
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto before = client_of(*listener);
  ASSERT_TRUE(send_text(before, "hello"));
  EXPECT_EQ(received_text(before), "hello");
  const auto waiting = client_of(*listener, false);
  {
    const NoDescriptors shortage;
    ASSERT_EQ(::connect(waiting.fd(), listener->local.address(), listener->local.size()), 0);
    ASSERT_TRUE(soon([&] { return hosted->counters.out_of_descriptors.value() >= 2; }));
    ASSERT_TRUE(send_text(before, "still there"));
    EXPECT_EQ(received_text(before), "still there");
  }
  ASSERT_TRUE(send_text(waiting, "at last"));
  EXPECT_EQ(received_text(waiting), "at last");
}

TEST_P(ADoorInNeed, OfThreadsKeepsItsClientAndAsksAgain) {
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, stays, [](Datagram& request, Notes&) -> task<> {
    request.reply("pong");
    co_return;
  }));
  AnyWaiter loop(waiter());
  Reluctant one(loop.waiter()), other(loop.waiter());
  const auto streams = listener_at("tcp/127.0.0.1:0", hosted), datagrams = listener_at("udp/127.0.0.1:0", hosted);
  const auto client = client_of(*streams), asking = client_of(*datagrams);
  ASSERT_TRUE(send_text(asking, "ping"));
  ASSERT_TRUE(send_text(asking, "ping"));
  Door first(streams, loop.waiter(), one, {}), second(datagrams, loop.waiter(), other, {});
  first.open();
  second.open();
  const Time patience = Clock::now() + Millis(patience_ms);
  loop.run_until(
      [&] { return (notes.count() == 1 && hosted->counters.answered.value() == 2) || Clock::now() > patience; });
  EXPECT_EQ(notes.count(), 1U);
  EXPECT_EQ(received_text(asking), "pong");
  EXPECT_EQ(received_text(asking), "pong");
  EXPECT_EQ(hosted->counters.out_of_threads.value(), 6U);
  EXPECT_EQ(hosted->counters.accepted.value(), 1U);
  hosted->level.cut_all();
  first.close();
  second.close();
  loop.run_until([&] { return first.is_closed() && second.is_closed() && hosted->level.count() == 0; });
}
