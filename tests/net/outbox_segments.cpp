#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Two clients, so that neighbours in a batch need not belong together.
class NeighboursInABatch : public ::testing::Test {
 protected:
  Socket server = listen_at("udp/127.0.0.1:0");
  Socket one = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  Socket other = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  Slots slots{Outbox::capacity};
  Outbox outbox{server.fd()};

  void answer(std::size_t slot, const Socket& client, const std::string& text) {
    slots[slot].from = *local_endpoint(client);
    outbox.add(slots[slot], bytes_of(text));
  }
};

}  // namespace

TEST_F(NeighboursInABatch, OfOneSizeArriveAsDatagramsOfTheirOwn) {
  for (std::size_t i = 0; i < Outbox::capacity; ++i) answer(i, one, std::to_string(100 + i));
  const auto sent = outbox.flush();
  EXPECT_EQ(sent.datagrams, Outbox::capacity);
  EXPECT_EQ(sent.bytes, 3 * Outbox::capacity);
  EXPECT_EQ(sent.dropped, 0U);
  for (std::size_t i = 0; i < Outbox::capacity; ++i) EXPECT_EQ(received_text(one), std::to_string(100 + i));
}

TEST_F(NeighboursInABatch, OfDifferentSizesKeepTheirOrderAndBorders) {
  const std::vector<std::string> texts{
      "a", "b", "cc", "dd", "", "", "e", std::string(3000, 'f'), std::string(3000, 'g'), "h"};
  for (std::size_t i = 0; i < texts.size(); ++i) answer(i, one, texts[i]);
  EXPECT_EQ(outbox.flush().datagrams, texts.size());
  for (const auto& text : texts) EXPECT_EQ(received_text(one), text);
}

TEST_F(NeighboursInABatch, OfDifferentClientsGoToTheirOwn) {
  answer(0, one, "1");
  answer(1, one, "2");
  answer(2, other, "3");
  answer(3, other, "4");
  answer(4, one, "5");
  EXPECT_EQ(outbox.flush().datagrams, 5U);
  for (const auto* text : {"1", "2", "5"}) EXPECT_EQ(received_text(one), text);
  for (const auto* text : {"3", "4"}) EXPECT_EQ(received_text(other), text);
}

TEST_F(NeighboursInABatch, WhereSomeCannotBeSentAreDroppedAlone) {
  answer(0, one, "1");
  for (std::size_t i = 1; i < 3; ++i) {
    slots[i].from = endpoint("127.0.0.1:0");
    outbox.add(slots[i], bytes_of("x"));
  }
  answer(3, one, "2");
  const auto sent = outbox.flush();
  EXPECT_EQ(sent.datagrams, 2U);
  EXPECT_EQ(sent.dropped, 2U);
  for (const auto* text : {"1", "2"}) EXPECT_EQ(received_text(one), text);
}

TEST_F(NeighboursInABatch, LeaveFromTheAddressThatWasAsked) {
  const Socket everywhere = listen_at("udp/*:0");
  const Socket asks_two = connected_to(door_of(everywhere, "127.0.0.2"), SOCK_DGRAM);
  Outbox answers{everywhere.fd()};
  for (std::size_t i = 0; i < 3; ++i) {
    slots[i].from = *local_endpoint(asks_two);
    if (local_endpoint(everywhere)->is_v6()) slots[i].from = *Endpoint::parse("::ffff:127.0.0.1", slots[i].from.port());
    slots[i].to = *Endpoint::parse(local_endpoint(everywhere)->is_v6() ? "::ffff:127.0.0.2" : "127.0.0.2", 0);
    answers.add(slots[i], bytes_of("same"));
  }
  const auto sent = answers.flush();
  EXPECT_EQ(sent.datagrams, 3U);
  // A connected client takes datagrams from 127.0.0.2 alone.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(received_text(asks_two), "same");
}
