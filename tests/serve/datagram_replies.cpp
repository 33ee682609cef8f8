#include <cstring>

#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Keeps the answers instead of sending them.
class Answers final : public AnswerPath {
 public:
  void send(DatagramSlot&, std::span<const std::byte> bytes) override {
    texts.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::vector<std::string> texts;
};

/// A datagram that was received, and what its handler does with it.
class ADatagram : public ::testing::Test {
 protected:
  void receive(DatagramScript script, std::string_view text, std::string_view from = "192.0.2.1:4000") {
    hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr, script));
    listener =
        std::make_shared<Listener>(listen_at("udp/127.0.0.1:0"), Transport::udp, endpoint("127.0.0.1:10007"), hosted);
    slot->from = endpoint(from);
    slot->size = text.size();
    std::memcpy(slot->bytes.data(), text.data(), text.size());
    auto seat = hosted->level.take();
    converse(listener, slot, answers, blocking, *seat);
  }
  std::uint64_t counted(Counter Counters::* which) const { return (hosted->counters.*which).value(); }

  Notes notes;
  std::shared_ptr<HostedService> hosted;
  std::shared_ptr<Listener> listener;
  std::unique_ptr<DatagramSlot> slot{new DatagramSlot};
  Answers answers;
  Blocking blocking;
};

task<> answers_its_bytes(Datagram& request, Notes&) {
  request.reply(request.bytes());
  co_return;
}

}  // namespace

TEST_F(ADatagram, IsAnsweredAndItsSlotComesBack) {
  receive(answers_its_bytes, "hello");
  EXPECT_EQ(answers.texts, std::vector<std::string>{"hello"});
  EXPECT_TRUE(slot);
  EXPECT_EQ(counted(&Counters::served), 1U);
  EXPECT_EQ(hosted->level.count(), 0);
}

TEST_F(ADatagram, MayBeEmpty) {
  receive(answers_its_bytes, "");
  EXPECT_EQ(answers.texts, std::vector<std::string>{""});
}

TEST_F(ADatagram, MayBeAnsweredOftenOrNotAtAll) {
  receive(
      [](Datagram& request, Notes&) -> task<> {
        request.reply("one");
        request.reply("two");
        co_return;
      },
      "?");
  EXPECT_EQ(answers.texts, (std::vector<std::string>{"one", "two"}));
  receive([](Datagram&, Notes&) -> task<> { co_return; }, "?");
  EXPECT_EQ(answers.texts.size(), 2U);
}

TEST_F(ADatagram, KnowsWhereItCameFromAndWhereItWasSentTo) {
  const DatagramScript tells = [](Datagram& request, Notes& told) -> task<> {
    told.add(request.from().text());
    told.add(request.to().text());
    co_return;
  };
  receive(tells, "?", "192.0.2.1:4000");
  slot->to = endpoint("198.51.100.7:0");
  receive(tells, "?", "192.0.2.2:4001");
  EXPECT_EQ(notes.all(),
            (std::vector<std::string>{"192.0.2.1:4000", "127.0.0.1:10007", "192.0.2.2:4001", "198.51.100.7:10007"}));
}

TEST_F(ADatagram, IsNotAnsweredBeyondItsRoom) {
  receive(
      [](Datagram& request, Notes& told) -> task<> {
        told.add(std::to_string(request.room()));
        const std::string fits(request.room(), 'x'), longer(request.room() + 1, 'x');
        told.add(request.reply(fits) ? "sent" : "suppressed");
        told.add(request.reply(longer) ? "sent" : "suppressed");
        co_return;
      },
      "1234567890");
  EXPECT_EQ(notes.all(), (std::vector<std::string>{"94", "sent", "suppressed"}));
  EXPECT_EQ(answers.texts.size(), 1U);
  EXPECT_EQ(counted(&Counters::suppressed_answer), 1U);
}

TEST_F(ADatagram, HasAllTheRoomFromATrustedSource) {
  receive(
      [](Datagram& request, Notes&) -> task<> {
        const std::string much(60'000, 'x');
        request.reply(much);
        co_return;
      },
      "", "127.0.0.1:4000");
  ASSERT_EQ(answers.texts.size(), 1U);
  EXPECT_EQ(answers.texts[0].size(), 60'000U);
}

TEST_F(ADatagram, WhoseHandlerThrowsIsCountedAndItsSlotComesBack) {
  receive(
      [](Datagram& request, Notes&) -> task<> {
        request.reply("before");
        if (request.bytes().size() == 1) throw std::runtime_error("after");
        co_return;
      },
      "?");
  EXPECT_EQ(counted(&Counters::failed), 1U);
  EXPECT_EQ(counted(&Counters::served), 0U);
  EXPECT_TRUE(slot);
  EXPECT_EQ(hosted->level.count(), 0);
  EXPECT_EQ(answers.texts, std::vector<std::string>{"before"});
}

TEST_F(ADatagram, WhoseHandlerIsNoCoroutineMayThrowToo) {
  receive([](Datagram&, Notes&) -> task<> { throw 42; }, "?");
  EXPECT_EQ(counted(&Counters::failed), 1U);
  EXPECT_TRUE(slot);
  EXPECT_EQ(hosted->level.count(), 0);
}

TEST_F(ADatagram, MayBeSleptOverWhereThatBlocks) {
  receive(
      [](Datagram& request, Notes&) -> task<> {
        constexpr Millis moment{1};
        const bool slept = co_await request.sleep(moment);
        request.reply(slept ? "slept" : "cut");
      },
      "?");
  EXPECT_EQ(answers.texts, std::vector<std::string>{"slept"});
  EXPECT_TRUE(slot);
}

TEST_F(ADatagram, IsCutWhileItsHandlerSleeps) {
  blocking.cancel_all();
  receive(
      [](Datagram& request, Notes& told) -> task<> {
        constexpr Millis long_time = std::chrono::hours(1);
        const bool slept = co_await request.sleep(long_time);
        told.add(slept ? "slept" : "cut");
      },
      "?");
  EXPECT_EQ(notes.all(), std::vector<std::string>{"cut"});
}
