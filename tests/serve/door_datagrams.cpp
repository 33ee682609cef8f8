#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

class ADoorForDatagrams : public EveryWaiter {
 protected:
  static std::shared_ptr<HostedService> hosted_with_script(Notes& notes, DatagramScript script,
                                                           const Limits& limits = {}) {
    return hosted_with(std::make_shared<Scripted>(notes, nullptr, script), limits);
  }
};
INSTANTIATE_TEST_SUITE_P(Under, ADoorForDatagrams, ::testing::ValuesIn(engine_names()), name_of_case);

task<> echoes(Datagram& request, Notes&) {
  request.reply(request.bytes());
  co_return;
}

/// "wait" waits for the test, all else comes back at once.
task<> waits_or_echoes(Datagram& request, Notes& notes) {
  const std::string asked(reinterpret_cast<const char*>(request.bytes().data()), request.bytes().size());
  if (asked.starts_with("wait")) {
    ++notes.present;
    const bool released = co_await waits_until(request, notes, may_go);
    notes.add(released ? "released" : "cut");
  }
  const std::string_view kept(reinterpret_cast<const char*>(request.bytes().data()), request.bytes().size());
  request.reply(kept == asked ? kept : "overwritten");
}

}  // namespace

TEST_P(ADoorForDatagrams, AnswersEachOfABurst) {
  Notes notes;
  const auto hosted = hosted_with_script(notes, echoes);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  const auto client = client_of(*listener);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(send_text(client, std::to_string(i)));
  Doors doors(waiter());
  doors.open(listener);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(received_text(client), std::to_string(i));
  EXPECT_TRUE(soon([&] { return hosted->counters.answered.value() == 200; }));
  EXPECT_EQ(hosted->counters.received.value(), 200U);
  EXPECT_EQ(hosted->counters.served.value(), 200U);
  EXPECT_EQ(hosted->counters.bytes_in.value(), hosted->counters.bytes_out.value());
}

TEST_P(ADoorForDatagrams, AnswersTheEmptyAndTheLongest) {
  Notes notes;
  const auto hosted = hosted_with_script(notes, echoes);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto client = client_of(*listener);
  const std::string longest(AnswerGuard::longest, 'x');
  for (const auto& text : {std::string(), longest, std::string("x")}) {
    ASSERT_TRUE(send_text(client, text));
    ASSERT_EQ(received_text(client), text);
  }
}

TEST_P(ADoorForDatagrams, GoesOnServingWhileAHandlerSleepsWithItsDatagram) {
  Notes notes;
  const auto hosted = hosted_with_script(notes, waits_or_echoes);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto patient = client_of(*listener), quick = client_of(*listener);
  ASSERT_TRUE(send_text(patient, "wait for me"));
  ASSERT_TRUE(soon([&] { return notes.present == 1; }));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(send_text(quick, "quick"));
    ASSERT_EQ(received_text(quick), "quick");
  }
  EXPECT_EQ(hosted->level.count(), 1);
  notes.may_go = true;
  EXPECT_EQ(received_text(patient), "wait for me");
  EXPECT_TRUE(soon([&] { return hosted->level.count() == 0; }));
  EXPECT_EQ(hosted->counters.served.value(), 101U);
}

TEST_P(ADoorForDatagrams, HoldsTheLevelWithThoseThatSleep) {
  Notes notes;
  Limits limits;
  limits.level = limits.per_client = 2;
  const auto hosted = hosted_with_script(notes, waits_or_echoes, limits);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto client = client_of(*listener);
  for (const auto* text : {"wait 1", "wait 2", "third"}) ASSERT_TRUE(send_text(client, text));
  ASSERT_TRUE(soon([&] { return notes.present == 2 && hosted->counters.full.value() == 1; }));
  doors.settle();
  EXPECT_EQ(hosted->counters.served.value(), 0U) << "the third waits for a place";
  notes.may_go = true;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(received_text(client).has_value());
  EXPECT_EQ(hosted->level.peak(), 2);
}

TEST_P(ADoorForDatagrams, DropsWhatIsBeyondAClientsShare) {
  Notes notes;
  Limits limits;
  limits.level = 10;
  limits.per_client = 2;
  const auto hosted = hosted_with_script(notes, waits_or_echoes, limits);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto client = client_of(*listener);
  for (const auto* text : {"wait 1", "wait 2"}) ASSERT_TRUE(send_text(client, text));
  ASSERT_TRUE(soon([&] { return notes.present == 2; }));
  ASSERT_TRUE(send_text(client, "third"));
  EXPECT_TRUE(soon([&] { return hosted->counters.dropped_client.value() == 1; }));
  notes.may_go = true;
}

TEST_P(ADoorForDatagrams, AnswersNoSourceThatWouldAnswerBack) {
  Notes notes;
  auto own_ports = std::make_shared<OwnPorts>();
  const auto hosted =
      std::make_shared<HostedService>("test", std::make_shared<Scripted>(notes, nullptr, echoes), Limits{}, own_ports);
  const auto one = listener_at("udp/127.0.0.1:0", hosted), other = listener_at("udp/127.0.0.1:0", hosted);
  for (const auto& listener : {one, other}) own_ports->add(listener->local.port());
  // Forged as a sender can: as if the other one had sent it.
  const auto sent = ::sendto(other->socket.fd(), "ping", 4, 0, one->local.address(), one->local.size());
  ASSERT_EQ(sent, 4);
  Doors doors(waiter());
  doors.open(one);
  doors.open(other);
  ASSERT_TRUE(soon([&] { return hosted->counters.dropped_source.value() == 1; }));
  doors.settle();
  EXPECT_EQ(hosted->counters.received.value(), 1U) << "the loop died at once";
  EXPECT_EQ(hosted->counters.answered.value(), 0U);
}

TEST_P(ADoorForDatagrams, DropsWhatIsOverTheRate) {
  Notes notes;
  Limits limits;
  limits.answer_rate = 5;
  limits.trusted.clear();
  const auto hosted = hosted_with_script(notes, echoes, limits);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  const auto client = client_of(*listener);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(send_text(client, "ping"));
  Doors doors(waiter());
  doors.open(listener);
  ASSERT_TRUE(soon([&] { return hosted->counters.received.value() == 50; }));
  ASSERT_TRUE(soon([&] { return hosted->counters.served.value() + hosted->counters.dropped_rate.value() == 50; }));
  EXPECT_GE(hosted->counters.served.value(), 5U);
  EXPECT_GE(hosted->counters.dropped_rate.value(), 1U);
}

TEST_P(ADoorForDatagrams, IsCutWithItsSleepers) {
  Notes notes;
  const auto hosted = hosted_with_script(notes, waits_or_echoes);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  {
    Doors doors(waiter());
    doors.open(listener);
    const auto client = client_of(*listener);
    ASSERT_TRUE(send_text(client, "wait"));
    ASSERT_TRUE(soon([&] { return notes.present == 1; }));
  }
  EXPECT_EQ(notes.all(), std::vector<std::string>{"cut"});
  EXPECT_EQ(hosted->level.count(), 0);
}

TEST_P(ADoorForDatagrams, CountsAHandlerThatThrowsAfterItSlept) {
  Notes notes;
  const auto hosted = hosted_with_script(notes, [](Datagram& request, Notes&) -> task<> {
    constexpr Millis moment{1};
    if (co_await request.sleep(moment)) throw std::runtime_error("woken too early");
  });
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto client = client_of(*listener);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(send_text(client, "?"));
  EXPECT_TRUE(soon([&] { return hosted->counters.failed.value() == 10; }));
  EXPECT_TRUE(soon([&] { return hosted->level.count() == 0; }));
  EXPECT_EQ(hosted->counters.served.value(), 0U);
}
