#include <stdexcept>

#include "superd/serve/batch_path.h"
#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

class InTheBackground : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, InTheBackground, ::testing::ValuesIn(waiter_names()), name_of_case);

class ALoopsBackground : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, ALoopsBackground, ::testing::ValuesIn(engine_names()), name_of_case);

/// Blocks its thread until the test lets it go.
void block(Notes& notes) {
  ++notes.present;
  (void)soon([&] { return notes.may_go.load(); });
}

template <class Client>
task<> blocks(Client& client, Notes& notes) {
  const auto until_told = [&notes] { block(notes); };
  const bool goes_on = co_await client.run_in_background(until_told);
  notes.add(goes_on ? "done" : "cut");
}

task<> throws_in_the_background(auto& client, Notes& notes) {
  const auto fails = [] { throw std::runtime_error("from there"); };
  try {
    co_await client.run_in_background(fails);
  } catch (const std::runtime_error& error) {
    notes.add(error.what());
  }
  const auto fails_otherwise = [] { throw 7; };  // no std::exception
  const bool goes_on = co_await client.run_in_background(fails_otherwise);
  notes.add(goes_on ? "went on" : "was cut");
}

}  // namespace

TEST_P(InTheBackground, AFunctionIsDoneWhenTheHandlerGoesOn) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    int sum = 0;
    const auto handler = std::this_thread::get_id();
    std::thread::id there;
    const auto add = [&] {
      ++sum;
      there = std::this_thread::get_id();
    };
    for (int i = 0; i < 100; ++i)
      if (!co_await client.run_in_background(add)) notes.add("cut");
    notes.add(std::to_string(sum));
    notes.add(std::this_thread::get_id() == handler ? "at home" : "astray");
    notes.add(there == handler ? "in place" : "elsewhere");
  });
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  const auto* where = waiter() == "blocking" ? "in place" : "elsewhere";
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"100", "at home", where}));
  EXPECT_EQ(conversation.counted(&Counters::served), 1U);
}

TEST_P(InTheBackground, WhatTheFunctionThrowsReachesTheHandler) {
  Conversation conversation(waiter(),
                            [](Connection& client, Notes& notes) { return throws_in_the_background(client, notes); });
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), std::vector<std::string>{"from there"});
  EXPECT_EQ(conversation.counted(&Counters::failed), 1U) << "7 was not caught";
}

TEST_P(InTheBackground, AFunctionIsNoSilenceOfTheClients) {
  Limits limits;
  limits.idle = Millis{20};
  Conversation conversation(
      waiter(),
      [](Connection& client, Notes& notes) -> task<> {
        const auto nap = [] { std::this_thread::sleep_for(Millis{80}); };
        const bool goes_on = co_await client.run_in_background(nap);
        const auto chunk = co_await client.read();
        notes.add(goes_on ? std::string(chunk.text()) : name_of_end(client));
      },
      limits);
  ASSERT_TRUE(send_text(conversation.client, "was here all the time"));
  conversation.begin();
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all().at(0), "was here all the time");
}

TEST_P(InTheBackground, WhatWasReadBeforeStaysLent) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const auto chunk = co_await client.read();
    const auto note = [&] { notes.add(std::string(chunk.text())); };
    co_await client.run_in_background(note);
    const auto next = co_await client.read();
    notes.add(std::string(next.text()));
  });
  conversation.begin();
  ASSERT_TRUE(send_text(conversation.client, "first"));
  ASSERT_TRUE(soon([&] { return conversation.notes.count() == 1; }));
  ASSERT_TRUE(send_text(conversation.client, "second"));
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"first", "second"}));
}

TEST_P(InTheBackground, AConversationThatIsCutIsWaitedForAndTold) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    co_await blocks(client, notes);
    const auto again = [&] { notes.add("never"); };
    const bool goes_on = co_await client.run_in_background(again);
    notes.add(goes_on ? "goes on" : name_of_end(client));
  });
  conversation.begin();
  ASSERT_TRUE(soon([&] { return conversation.notes.present == 1; }));
  conversation.cut();
  EXPECT_EQ(conversation.notes.count(), 0U) << "it went on while its function ran";
  conversation.notes.may_go = true;
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.notes.all(), (std::vector<std::string>{"cut", "cut"}));
  EXPECT_EQ(conversation.counted(&Counters::cut), 1U);
}

TEST_P(InTheBackground, WhatWasThrownReachesAHandlerThatIsCut) {
  Conversation conversation(waiter(), [](Connection& client, Notes& notes) -> task<> {
    const auto fails = [&notes] {
      block(notes);
      throw std::runtime_error("from there");
    };
    co_await client.run_in_background(fails);
  });
  conversation.begin();
  ASSERT_TRUE(soon([&] { return conversation.notes.present == 1; }));
  conversation.cut();
  conversation.notes.may_go = true;
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.counted(&Counters::failed), 1U);
}

TEST_P(ALoopsBackground, HoldsUpNobodyElse) {
  AnyWaiter loop(waiter());
  Notes blocked, others;
  const auto slow = hosted_with(std::make_shared<Scripted>(blocked, blocks<Connection>));
  const auto quick = hosted_with(std::make_shared<Scripted>(others, [](Connection& client, Notes& notes) -> task<> {
    const auto chunk = co_await client.read();
    const bool sent = co_await client.write(chunk);
    notes.add(sent ? "answered" : name_of_end(client));
  }));
  auto first = tcp_pair(), second = tcp_pair();
  auto seat = slow->level.take();
  converse(*slow, first.server, loop.waiter(), *seat);
  auto other_seat = quick->level.take();
  converse(*quick, second.server, loop.waiter(), *other_seat);
  ASSERT_TRUE(send_text(second.client, "quick"));
  loop.run_until_empty(quick->level);
  EXPECT_EQ(received_text(second.client), "quick");
  EXPECT_EQ(slow->level.count(), 1) << "its function has not ended, and cannot have";
  blocked.may_go = true;
  loop.run_until_empty(slow->level);
  EXPECT_EQ(blocked.all(), std::vector<std::string>{"done"});
}

TEST_P(ALoopsBackground, TakesMoreThanItHasThreads) {
  AnyWaiter loop(waiter());
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, blocks<Connection>));
  const int threads = std::max(4, 2 * static_cast<int>(std::thread::hardware_concurrency()));
  const auto before = background().figures();
  std::vector<Pair> pairs;
  for (int i = 0; i < threads + 20; ++i) {
    auto& pair = pairs.emplace_back(tcp_pair());
    auto seat = hosted->level.take();
    converse(*hosted, pair.server, loop.waiter(), *seat);
  }
  ASSERT_TRUE(soon([&] { return notes.present == threads; }));
  const auto figures = background().figures();
  EXPECT_EQ(figures.threads, threads);
  EXPECT_EQ(figures.queued, 20);
  EXPECT_EQ(figures.waited - before.waited, 20U);
  notes.may_go = true;
  loop.run_until_empty(hosted->level);
  EXPECT_EQ(notes.all(), std::vector<std::string>(pairs.size(), "done"));
}

// What has not begun never does; what has is waited for, within cancel_all().
TEST_P(ALoopsBackground, IsEmptyWhenTheLoopEnds) {
  AnyWaiter loop(waiter());
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, blocks<Connection>));
  const int threads = std::max(4, 2 * static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<Pair> pairs;
  for (int i = 0; i < threads + 20; ++i) {
    auto& pair = pairs.emplace_back(tcp_pair());
    auto seat = hosted->level.take();
    converse(*hosted, pair.server, loop.waiter(), *seat);
  }
  ASSERT_TRUE(soon([&] { return notes.present == threads; }));
  const std::jthread later([&] {
    if (soon([&] { return notes.count() == 20; })) notes.may_go = true;
  });
  loop.engine()->cancel_all();
  EXPECT_EQ(hosted->level.count(), 0);
  EXPECT_EQ(notes.present, threads);
  EXPECT_EQ(notes.all(), std::vector<std::string>(pairs.size(), "cut"));
}

TEST_P(ALoopsBackground, ServesDatagramsToo) {
  AnyWaiter loop(waiter());
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr, [](Datagram& request, Notes&) -> task<> {
    std::string answer;
    const auto make = [&] { answer = std::string(request.bytes().size(), 'x'); };
    const bool goes_on = co_await request.run_in_background(make);
    if (goes_on) request.reply(answer);
  }));
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  const auto client = client_of(*listener);
  PlaceHere here(loop.waiter());
  Door door(listener, loop.waiter(), here, {});
  door.open();
  for (int i = 1; i < 10; ++i) ASSERT_TRUE(send_text(client, std::string(static_cast<std::size_t>(i), 'a')));
  loop.run_until([&] { return hosted->counters.answered.value() == 9; });
  std::size_t answered = 0;
  for (int i = 1; i < 10; ++i) answered += received_text(client).value_or("").size();
  EXPECT_EQ(answered, 45U);
  door.close();
  loop.run_until([&] { return door.is_closed() && hosted->level.count() == 0; });
}

TEST_P(InTheBackground, WhatADatagramsFunctionThrowsReachesItsHandler) {
  AnyWaiter loop(waiter());
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(
      notes, nullptr, [](Datagram& request, Notes& shared) { return throws_in_the_background(request, shared); }));
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  BatchPath path(*listener);
  std::unique_ptr<DatagramSlot> slot(new DatagramSlot);
  slot->from = endpoint("127.0.0.1:4000");
  slot->size = 1;
  auto seat = hosted->level.take();
  converse(listener, slot, path, loop.waiter(), *seat);
  seat->leave();
  loop.run_until_empty(hosted->level);
  EXPECT_EQ(notes.all(), std::vector<std::string>{"from there"});
  EXPECT_EQ(hosted->counters.failed.value(), 1U);
}
