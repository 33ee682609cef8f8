// Datagrams behind handlers that keep their threads; connections are in hand_over.cpp.

#include <map>

#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class DatagramsBehindABusyHandler : public EveryWay {
 protected:
  static std::vector<std::string> where() { return {"udp/127.0.0.1:0"}; }
};
INSTANTIATE_TEST_SUITE_P(Under, DatagramsBehindABusyHandler, ::testing::ValuesIn(ways_that_change_hands()),
                         name_of_case);

std::vector<DesignSettings> ways_with_a_queue() {
  auto ways = ways_that_change_hands();
  std::erase_if(ways, [](const auto& way) { return !find_design(way.design)->uses_loops; });
  return ways;
}

class DatagramsInAQueue : public DatagramsBehindABusyHandler {};
INSTANTIATE_TEST_SUITE_P(Under, DatagramsInAQueue, ::testing::ValuesIn(ways_with_a_queue()), name_of_case);

std::string_view text_of(const Datagram& request) {
  return {reinterpret_cast<const char*>(request.bytes().data()), request.bytes().size()};
}

/// Every datagram is echoed; one that begins with "keep" keeps its thread until the test lets it go.
task<> echoes_or_keeps(Datagram& request, Notes& notes) {
  if (text_of(request).starts_with("keep")) {
    ++notes.present;
    keeps_its_thread_until([&] { return notes.may_go.load(); });
  }
  request.reply(request.bytes());
  ++notes.finished;
  co_return;
}

/// How often each answer came, of so many.
std::map<std::string, int> answers_to(const Socket& client, std::size_t number) {
  std::map<std::string, int> answers;
  for (std::size_t i = 0; i < number; ++i) {
    const auto answer = received_text(client);
    if (!answer) break;
    ++answers[*answer];
  }
  return answers;
}

Socket client_from(std::string_view address, const Endpoint& door) {
  Socket client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto own = endpoint(address);
  if (::bind(client.fd(), own.address(), own.size()) != 0) client.reset();
  if (::connect(client.fd(), door.address(), door.size()) != 0) client.reset();
  return client;
}

bool has_nothing_more(const Socket& client) {
  char byte;
  return ::recv(client.fd(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

std::map<std::string, int> once_each(const std::vector<std::string>& texts) {
  std::map<std::string, int> result;
  for (const auto& text : texts) ++result[text];
  return result;
}

std::vector<std::string> numbers(int first, int last) {
  std::vector<std::string> result;
  for (int i = first; i <= last; ++i) result.push_back(std::to_string(i));
  return result;
}

}  // namespace

TEST_P(DatagramsBehindABusyHandler, OfItsBatchAreServedMeanwhile) {
  Serving serving(way(), {}, nullptr, echoes_or_keeps);
  serving.bind(where());
  const auto client = serving.client();
  // In the socket's buffer before anybody looks: one batch.
  std::vector<std::string> before = numbers(1, 5), after = numbers(6, 40), others = before;
  others.insert(others.end(), after.begin(), after.end());
  for (const auto& text : before) ASSERT_TRUE(send_text(client, text));
  ASSERT_TRUE(send_text(client, "keep"));
  for (const auto& text : after) ASSERT_TRUE(send_text(client, text));
  serving.open_bound();
  EXPECT_EQ(answers_to(client, others.size()), once_each(others));
  EXPECT_EQ(serving.notes.present, 1);
  serving.notes.may_go = true;
  EXPECT_EQ(received_text(client), "keep");
  EXPECT_TRUE(has_nothing_more(client));
}

TEST_P(DatagramsBehindABusyHandler, ThatComeLaterAreServedMeanwhile) {
  Serving serving(way(), where(), nullptr, echoes_or_keeps);
  const auto client = serving.client();
  ASSERT_TRUE(send_text(client, "keep"));
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  for (const auto& text : numbers(1, 20)) {
    ASSERT_TRUE(send_text(client, text));
    EXPECT_EQ(received_text(client), text);
  }
  serving.notes.may_go = true;
  EXPECT_EQ(received_text(client), "keep");
}

TEST_P(DatagramsBehindABusyHandler, AreAnsweredExactlyOnce) {
  auto few_threads = way();
  few_threads.threads = 4;
  Serving serving(few_threads, where(), nullptr, echoes_or_keeps);
  const auto client = serving.client();
  constexpr int rounds = 20, a_round = 50;
  for (int round = 0; round < rounds; ++round) {
    // The last of the threads must go on, or nobody would.
    if (round % 5 == 0 && round < 15) {
      ASSERT_TRUE(send_text(client, "keep" + std::to_string(round)));
    }
    const auto texts = numbers(round * a_round, (round + 1) * a_round - 1);
    for (const auto& text : texts) ASSERT_TRUE(send_text(client, text));
    ASSERT_EQ(answers_to(client, texts.size()), once_each(texts)) << round;
  }
  EXPECT_EQ(serving.notes.present, 3);
  serving.notes.may_go = true;
  EXPECT_EQ(answers_to(client, 3), once_each({"keep0", "keep5", "keep10"}));
  EXPECT_TRUE(has_nothing_more(client));
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::served) == rounds * a_round + 3; }));
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::answered) == rounds * a_round + 3; }));
  EXPECT_EQ(serving.counted(&Counters::dropped_queue), 0U);
}

TEST_P(DatagramsBehindABusyHandler, AreServedWhenItEndsWhereThereIsNoOtherThread) {
  auto one_thread = way();
  one_thread.threads = 1;
  Serving serving(one_thread, where(), nullptr, echoes_or_keeps);
  const auto client = serving.client();
  ASSERT_TRUE(send_text(client, "keep"));
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  const auto texts = numbers(1, 20);
  for (const auto& text : texts) ASSERT_TRUE(send_text(client, text));
  ASSERT_TRUE(soon([&] { return times_decided(*serving.design, Decisions::What::threads_at_bound) > 0; }));
  EXPECT_TRUE(has_nothing_more(client));
  serving.notes.may_go = true;
  auto all = texts;
  all.emplace_back("keep");
  EXPECT_EQ(answers_to(client, all.size()), once_each(all));
}

TEST_P(DatagramsBehindABusyHandler, ThatSleepThenAreAnsweredToo) {
  Serving serving(way(), where(), nullptr, [](Datagram& request, Notes& notes) -> task<> {
    constexpr Millis moment{1};
    ++notes.present;
    if (text_of(request) == "keep") keeps_its_thread_until([&] { return notes.may_go.load(); });
    request.reply("before");
    const bool slept = co_await request.sleep(moment);
    if (slept) request.reply(request.bytes());
  });
  const auto busy = serving.client(), other = serving.client();
  ASSERT_TRUE(send_text(busy, "keep"));
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  ASSERT_TRUE(send_text(other, "other"));
  EXPECT_EQ(received_text(other), "before");
  EXPECT_EQ(received_text(other), "other");
  EXPECT_TRUE(has_nothing_more(busy));
  serving.notes.may_go = true;
  EXPECT_EQ(received_text(busy), "before");
  EXPECT_EQ(received_text(busy), "keep");
}

TEST_P(DatagramsBehindABusyHandler, OfAServerThatClosesAreAnswered) {
  Serving serving(way(), where(), nullptr, echoes_or_keeps);
  const auto client = serving.client();
  ASSERT_TRUE(send_text(client, "keep"));
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  const auto texts = numbers(1, 30);
  for (const auto& text : texts) ASSERT_TRUE(send_text(client, text));
  EXPECT_TRUE(serving.closes());
  EXPECT_EQ(answers_to(client, texts.size()), once_each(texts));
  EXPECT_FALSE(serving.design->is_done());
  serving.notes.may_go = true;
  EXPECT_EQ(received_text(client), "keep");
  EXPECT_TRUE(soon([&] { return serving.design->is_done(); }));
}

TEST_P(DatagramsInAQueue, AreDroppedAndCountedWhenItIsFull) {
  auto with_queue = way();
  with_queue.queue = 5'000;
  Limits limits;
  limits.level = limits.per_client = 2;
  Serving serving(with_queue, where(), nullptr, echoes_or_keeps, limits);
  const auto client = serving.client();
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(send_text(client, "keep" + std::to_string(i)));
    ASSERT_TRUE(soon([&] { return serving.notes.present == i; }));
  }
  // Nobody has a seat for them.
  constexpr int sent = 100;
  for (const auto& text : numbers(1, sent)) ASSERT_TRUE(send_text(client, text));
  ASSERT_TRUE(soon([&] { return serving.counted(&Counters::received) == sent + 2; }));
  ASSERT_TRUE(soon([&] { return serving.counted(&Counters::dropped_queue) > 0; }));
  EXPECT_EQ(serving.notes.finished, 0);
  EXPECT_GE(times_decided(*serving.design, Decisions::What::queues_datagrams), 1);

  serving.notes.may_go = true;
  ASSERT_TRUE(soon([&] {
    return serving.counted(&Counters::served) + serving.counted(&Counters::dropped_queue) == sent + 2;
  }));
  const auto served = serving.counted(&Counters::served);
  EXPECT_GT(served, 2U + 5) << "the queue has held some";
  EXPECT_LT(served, 2U + 5'000 / 32) << "and not too many";
  const auto answers = answers_to(client, served);
  EXPECT_EQ(answers.size(), served) << "no answer came twice";
  EXPECT_TRUE(answers.contains("1")) << "those that came first were kept";
  EXPECT_TRUE(soon([&] { return times_decided(*serving.design, Decisions::What::handles_in_place) >= 1; }));
}

TEST_P(DatagramsInAQueue, OfOneClientLetOthersGoFirst) {
  Limits limits;
  limits.level = 4;
  limits.per_client = 2;
  Serving serving(way(), where(), nullptr, echoes_or_keeps, limits);
  const auto first = client_from("127.0.0.3:0", serving.where());
  const auto other = client_from("127.0.0.2:0", serving.where());
  const auto greedy = serving.client();
  ASSERT_TRUE(send_text(first, "keep"));
  ASSERT_TRUE(soon([&] { return serving.notes.present == 1; }));
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(send_text(greedy, "keep" + std::to_string(i)));
    ASSERT_TRUE(soon([&] { return serving.notes.present == i + 1; }));
  }
  const auto texts = numbers(1, 10);
  for (const auto& text : texts) ASSERT_TRUE(send_text(greedy, text));
  ASSERT_TRUE(soon([&] { return serving.counted(&Counters::received) == 13; }));
  ASSERT_TRUE(send_text(other, "hello"));
  EXPECT_EQ(received_text(other), "hello");
  EXPECT_TRUE(has_nothing_more(greedy));
  serving.notes.may_go = true;
  auto all = texts;
  all.insert(all.end(), {"keep1", "keep2"});
  EXPECT_EQ(answers_to(greedy, all.size()), once_each(all));
  EXPECT_EQ(received_text(first), "keep");
  EXPECT_LE(serving.hosted->level.peak(), 4);
}
