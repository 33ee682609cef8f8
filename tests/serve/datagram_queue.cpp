#include "superd/serve/datagram_queue.h"

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class AQueue : public ::testing::Test {
 protected:
  static bool put(DatagramQueue& queue, std::string_view text) {
    fill(*slot(), text);
    return queue.put(*slot());
  }
  static std::string first_of(const DatagramQueue& queue) {
    queue.copy_first(*slot());
    return text_of(*slot());
  }
  static std::string taken_from(DatagramQueue& queue) {
    auto text = first_of(queue);
    queue.drop_first();
    return text;
  }
  static std::size_t fill_up(DatagramQueue& queue, std::string_view text) {
    std::size_t taken = 0;
    while (put(queue, text)) ++taken;
    return taken;
  }
  static void fill(DatagramSlot& slot, std::string_view text) {
    text.copy(reinterpret_cast<char*>(slot.bytes.data()), slot.bytes.size());
    slot.size = text.size();
  }
  static const std::unique_ptr<DatagramSlot>& slot() {
    static const std::unique_ptr<DatagramSlot> own(new DatagramSlot);
    return own;
  }

  static constexpr std::size_t roomy = 1 << 20;
};

}  // namespace

TEST_F(AQueue, GivesWhatHasWaitedLongestFirst) {
  DatagramQueue queue(roomy);
  EXPECT_TRUE(queue.is_empty());
  for (const auto* text : {"one", "", "three"}) ASSERT_TRUE(put(queue, text));
  EXPECT_EQ(queue.count(), 3U);
  EXPECT_EQ(first_of(queue), "one");
  EXPECT_EQ(taken_from(queue), "one") << "copying took nothing out";
  EXPECT_EQ(taken_from(queue), "");
  EXPECT_EQ(taken_from(queue), "three");
  EXPECT_TRUE(queue.is_empty());
}

TEST_F(AQueue, KeepsAllThatAnAnswerNeeds) {
  DatagramQueue queue(roomy);
  const Time then = Clock::now();
  DatagramSlot& in = *slot();
  fill(in, "hello");
  in.from = endpoint("127.0.0.1:1234");
  in.to = endpoint("127.0.0.2:0");
  in.interface = 7;
  in.received = then;
  ASSERT_TRUE(queue.put(in));

  const std::unique_ptr<DatagramSlot> out(new DatagramSlot);
  out->truncated = true;
  out->admitted = false;
  queue.copy_first(*out);
  EXPECT_EQ(out->from.text(), "127.0.0.1:1234");
  EXPECT_EQ(out->to.text(), in.to.text());
  EXPECT_EQ(out->interface, 7U);
  EXPECT_EQ(out->received, then);
  EXPECT_EQ(text_of(*out), "hello");
  EXPECT_TRUE(out->admitted);
  EXPECT_FALSE(out->truncated);
}

TEST_F(AQueue, KeepsTheLongestDatagramThereIs) {
  DatagramQueue queue(roomy);
  const std::string longest(65'507, 'x');
  ASSERT_TRUE(put(queue, longest));
  EXPECT_EQ(taken_from(queue), longest);
}

TEST_F(AQueue, IsBoundedInBytesAndCountsWhatEachCostsBesideThem) {
  constexpr std::size_t room = 100'000;
  DatagramQueue queue(room);
  const auto taken = fill_up(queue, std::string(1'000, 'x'));
  EXPECT_LT(taken, room / 1'000);
  EXPECT_GT(taken, room / 1'300);
  DatagramQueue of_empty_ones(room);
  EXPECT_LT(fill_up(of_empty_ones, ""), room / 32) << "nor is a datagram without bytes free";
}

TEST_F(AQueue, HasRoomAgainForWhatWasTakenOut) {
  DatagramQueue queue(100'000);
  const std::string text(1'000, 'x');
  const auto taken = fill_up(queue, text);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_FALSE(put(queue, text));
    queue.drop_first();
    ASSERT_TRUE(put(queue, text));
  }
  EXPECT_EQ(queue.count(), taken);
}

TEST_F(AQueue, ThatIsFullIsAsItWas) {
  DatagramQueue queue(2'000);
  ASSERT_TRUE(put(queue, "one"));
  ASSERT_FALSE(put(queue, std::string(2'000, 'x')));
  EXPECT_EQ(queue.count(), 1U);
  EXPECT_TRUE(put(queue, "two")) << "a smaller one still finds room";
  EXPECT_EQ(taken_from(queue), "one");
  EXPECT_EQ(taken_from(queue), "two");
}

TEST_F(AQueue, WithoutRoomTakesNothing) {
  DatagramQueue queue(0);
  EXPECT_FALSE(put(queue, ""));
  EXPECT_TRUE(queue.is_empty());
}

TEST_F(AQueue, LetsAllOthersGoBeforeTheFirst) {
  DatagramQueue queue(roomy);
  for (const auto* text : {"one", "two", "three"}) ASSERT_TRUE(put(queue, text));
  queue.put_first_last();
  EXPECT_EQ(queue.count(), 3U);
  EXPECT_EQ(taken_from(queue), "two");
  queue.put_first_last();
  EXPECT_EQ(taken_from(queue), "one");
  EXPECT_EQ(taken_from(queue), "three");
}

TEST_F(AQueue, IsNoLargerWhenItWasTurnedRound) {
  DatagramQueue queue(10'000);
  const auto taken = fill_up(queue, "hello");
  for (std::size_t i = 0; i < 3 * taken; ++i) queue.put_first_last();
  EXPECT_EQ(queue.count(), taken);
  EXPECT_FALSE(put(queue, "hello"));
  for (std::size_t i = 0; i < taken; ++i) EXPECT_EQ(taken_from(queue), "hello");
}

TEST_F(AQueue, OfOneTurnedRoundStaysAsItIs) {
  DatagramQueue queue(roomy);
  ASSERT_TRUE(put(queue, "alone"));
  queue.put_first_last();
  ASSERT_EQ(queue.count(), 1U);
  EXPECT_EQ(taken_from(queue), "alone");
}
