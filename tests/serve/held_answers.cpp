#include "superd/serve/held_answers.h"

#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

/// A batch that only remembers what joined it.
class Batch final : public AnswerPath {
 public:
  void send(DatagramSlot&, std::span<const std::byte> bytes) override {
    answers.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::vector<std::string> answers;
};

class AnswersToOneDatagram : public ::testing::Test {
 protected:
  AnswersToOneDatagram() {
    // As if the client had asked.
    slot->from = local_endpoint(client).value();
    slot->size = 1;
    held.begin(listener);
  }
  void answer(std::string_view text) { held.send(*slot, bytes_of(text)); }
  bool has_nothing_more() {
    char byte;
    return ::recv(client.fd(), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
  }

  Notes notes;
  std::shared_ptr<HostedService> hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr));
  std::shared_ptr<Listener> listener = listener_at("udp/127.0.0.1:0", hosted);
  Socket client = client_of(*listener);
  std::unique_ptr<DatagramSlot> slot{new DatagramSlot};
  HeldAnswers held;
  Batch batch;
};

}  // namespace

TEST_F(AnswersToOneDatagram, StayUntilItIsKnownWhoHasTheBatch) {
  answer("one");
  EXPECT_TRUE(batch.answers.empty());
  EXPECT_TRUE(has_nothing_more());
}

TEST_F(AnswersToOneDatagram, JoinTheBatchInTheirOrder) {
  answer("one");
  answer("");
  answer("three");
  held.move_to(batch, *slot);
  EXPECT_EQ(batch.answers, (std::vector<std::string>{"one", "", "three"}));
  EXPECT_TRUE(has_nothing_more());
}

TEST_F(AnswersToOneDatagram, LeaveAtOnceInTheirOrder) {
  answer("one");
  answer("");
  answer("three");
  held.send_straight(*slot);
  for (const auto* text : {"one", "", "three"}) EXPECT_EQ(received_text(client), text);
  EXPECT_TRUE(has_nothing_more());
  EXPECT_EQ(hosted->counters.answered.value(), 3U);
}

TEST_F(AnswersToOneDatagram, LeaveWhenItsConversationGoesOnElsewhere) {
  answer("one");
  held.let_go(*slot);
  EXPECT_EQ(received_text(client), "one");
}

TEST_F(AnswersToOneDatagram, AreGivenOnce) {
  answer("one");
  held.move_to(batch, *slot);
  held.move_to(batch, *slot);
  held.send_straight(*slot);
  EXPECT_EQ(batch.answers, std::vector<std::string>{"one"});
  EXPECT_TRUE(has_nothing_more());
}

TEST_F(AnswersToOneDatagram, AreNotThoseOfTheNext) {
  answer("one");
  held.move_to(batch, *slot);
  held.begin(listener);
  answer("two");
  held.send_straight(*slot);
  EXPECT_EQ(received_text(client), "two");
  EXPECT_TRUE(has_nothing_more());
  EXPECT_EQ(batch.answers, std::vector<std::string>{"one"});
}

TEST_F(AnswersToOneDatagram, ThatGotNoneSendNothing) {
  held.send_straight(*slot);
  held.move_to(batch, *slot);
  EXPECT_TRUE(batch.answers.empty());
  EXPECT_TRUE(has_nothing_more());
  EXPECT_EQ(hosted->counters.answered.value(), 0U);
}
