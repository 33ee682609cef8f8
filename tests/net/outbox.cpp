#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class AnOutbox : public ::testing::Test {
 protected:
  Socket server = listen_at("udp/127.0.0.1:0");
  Socket client = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  Slots slots{Outbox::capacity + 36};
  Outbox outbox{server.fd()};

  void SetUp() override {
    for (auto* slot : slots.all()) slot->from = *local_endpoint(client);
  }
};

}  // namespace

TEST_F(AnOutbox, SendsAnswersTogetherAndInOrder) {
  for (std::size_t i = 0; i < 3; ++i) outbox.add(slots[i], bytes_of(std::to_string(i)));
  EXPECT_FALSE(outbox.is_empty());
  const auto sent = outbox.flush();
  EXPECT_TRUE(outbox.is_empty());
  EXPECT_EQ(sent.datagrams, 3U);
  EXPECT_EQ(sent.bytes, 3U);
  EXPECT_EQ(sent.dropped, 0U);
  for (const auto* text : {"0", "1", "2"}) EXPECT_EQ(received_text(client), text);
}

TEST_F(AnOutbox, CopiesWhatIsNotTheSlots) {
  std::string text = "as it was";
  outbox.add(slots[0], bytes_of(text));
  text.assign("something else");
  outbox.flush();
  EXPECT_EQ(received_text(client), "as it was");
}

TEST_F(AnOutbox, SendsAPartOfThePayloadFromWhereItIs) {
  slots[0].size = 5;
  for (std::size_t i = 0; i < 5; ++i) slots[0].bytes[i] = static_cast<std::byte>("abcde"[i]);
  outbox.add(slots[0], slots[0].payload().subspan(1, 3));
  slots[0].bytes[2] = std::byte{'X'};  // seen, because nothing was copied
  outbox.flush();
  EXPECT_EQ(received_text(client), "bXd");
}

TEST_F(AnOutbox, AnswersTheOneThatAskedEvenIfItsSlotIsUsedAgain) {
  outbox.add(slots[0], bytes_of("hello"));
  slots[0].from = endpoint("127.0.0.1:0");
  EXPECT_EQ(outbox.flush().datagrams, 1U);
  EXPECT_EQ(received_text(client), "hello");
}

TEST_F(AnOutbox, SendsEmptyAnswers) {
  outbox.add(slots[0], {});
  const auto sent = outbox.flush();
  EXPECT_EQ(sent.datagrams, 1U);
  EXPECT_EQ(sent.bytes, 0U);
  EXPECT_EQ(received_text(client), "");
}

TEST_F(AnOutbox, FlushesItselfWhenItIsFull) {
  for (auto* slot : slots.all()) outbox.add(*slot, bytes_of("x"));
  const auto sent = outbox.flush();
  EXPECT_EQ(sent.datagrams, slots.all().size());
  for (std::size_t i = 0; i < slots.all().size(); ++i) ASSERT_EQ(received_text(client), "x");
}

TEST_F(AnOutbox, DropsWhatCannotBeSentAndSendsTheRest) {
  for (const std::size_t i : {0, 2, 3, 5}) slots[i].from = endpoint("127.0.0.1:0");
  for (std::size_t i = 0; i < 6; ++i) outbox.add(slots[i], bytes_of("x"));
  const auto sent = outbox.flush();
  EXPECT_EQ(sent.datagrams, 2U);
  EXPECT_EQ(sent.dropped, 4U);
  EXPECT_EQ(sent.bytes, 2U);
}

TEST_F(AnOutbox, DropsWhatIsTooLong) {
  outbox.add(slots[0], slots[0].bytes);
  outbox.add(slots[1], bytes_of("short"));
  const auto sent = outbox.flush();
  EXPECT_EQ(sent.dropped, 1U);
  EXPECT_EQ(received_text(client), "short");
}

TEST_F(AnOutbox, DropsAnswersFromAnAddressThatIsNotOurs) {
  slots[0].to = endpoint("192.0.2.77:0");  // TEST-NET-1 (RFC 5737)
  outbox.add(slots[0], bytes_of("x"));
  EXPECT_EQ(outbox.flush().dropped, 1U);
}

TEST_F(AnOutbox, DropsEverythingWithoutASocket) {
  Outbox nowhere(-1);
  nowhere.add(slots[0], bytes_of("x"));
  nowhere.add(slots[1], bytes_of("x"));
  EXPECT_EQ(nowhere.flush().dropped, 2U);
}

TEST_F(AnOutbox, CountsFromTheLastFlush) {
  outbox.add(slots[0], bytes_of("x"));
  outbox.flush();
  EXPECT_EQ(outbox.flush().datagrams, 0U);
}

TEST(AFullSendBuffer, DropsAndDoesNotBlock) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
  const Socket server(pair[0]), client(pair[1]);
  const Slots slots(1);  // an unspecified peer: the pair is connected
  Outbox outbox(server.fd());
  Outbox::Sent sent;
  for (int i = 0; i < 10'000 && sent.dropped == 0; ++i) {
    outbox.add(slots[0], bytes_of("nobody reads this"));
    sent = outbox.flush();
  }
  EXPECT_EQ(sent.dropped, 1U);
}
