#include <gtest/gtest.h>

#include <string>

#include "superd/services/tftp/netascii.h"
#include "superd/services/tftp/pace.h"
#include "superd/services/tftp/window.h"

using namespace superd;
using namespace superd::tftp;
using Answer = Window::Answer;

namespace {

void send_all(Window& window) {
  while (window.may_send()) window.note_sent(1);
}

std::string to_netascii(std::string_view text, std::size_t block) {
  ToNetascii converter;
  std::string all;
  std::string room(block, '?');
  for (bool more = true; more;) {
    const auto done = converter.convert(std::as_bytes(std::span(text)), std::as_writable_bytes(std::span(room)));
    text.remove_prefix(done.read);
    all += room.substr(0, done.written);
    more = done.written == block;
  }
  EXPECT_FALSE(converter.owes());
  return all;
}

std::string from_netascii(std::string_view text, std::size_t block) {
  FromNetascii converter;
  std::string all;
  for (; !text.empty(); text.remove_prefix(std::min(block, text.size()))) {
    std::string room(block + 1, '?');
    const auto written =
        converter.convert(std::as_bytes(std::span(text.substr(0, block))), std::as_writable_bytes(std::span(room)));
    all += room.substr(0, written);
  }
  return converter.owes_return() ? all + '\r' : all;
}

}  // namespace

TEST(AWindowOfOne, GoesOnWithEachAcknowledgement) {
  Window window(1);
  for (std::uint64_t block = 1; block < 200'000; ++block) {
    ASSERT_EQ(window.next(), block);
    send_all(window);
    ASSERT_EQ(window.acknowledge(static_cast<std::uint16_t>(block)), Answer::progress);
  }
}

TEST(AWindowOfOne, SendsNothingBecauseOfAnAcknowledgementThatComesTwice) {
  Window window(1);
  send_all(window);
  EXPECT_EQ(window.acknowledge(1), Answer::progress);
  send_all(window);
  for (const int number : {1, 0, 1, 3, 40'000, 65'535})
    EXPECT_EQ(window.acknowledge(static_cast<std::uint16_t>(number)), Answer::ignored) << number;
  EXPECT_FALSE(window.may_send());
  EXPECT_EQ(window.acknowledge(2), Answer::progress);
}

TEST(AWindow, SendsAgainFromAGap) {
  Window window(4);
  send_all(window);
  EXPECT_EQ(window.next(), 5U);
  EXPECT_EQ(window.acknowledge(2), Answer::gap);
  EXPECT_EQ(window.next(), 3U);
  send_all(window);
  EXPECT_EQ(window.next(), 7U);
  EXPECT_EQ(window.acknowledge(6), Answer::progress);
}

TEST(AWindow, SendsAgainOnceWhenItsFirstBlockWasLost) {
  Window window(4);
  send_all(window);
  EXPECT_EQ(window.acknowledge(4), Answer::progress);
  send_all(window);
  EXPECT_EQ(window.acknowledge(4), Answer::gap);
  EXPECT_EQ(window.next(), 5U);
  send_all(window);
  EXPECT_EQ(window.acknowledge(4), Answer::ignored);
  EXPECT_EQ(window.acknowledge(8), Answer::progress);
  EXPECT_EQ(window.acknowledge(8), Answer::ignored) << "nothing was sent since";
}

TEST(AWindow, EndsWithTheLastBlock) {
  Window window(4);
  window.note_last(2);
  send_all(window);
  EXPECT_EQ(window.next(), 3U);
  EXPECT_EQ(window.acknowledge(1), Answer::gap);
  send_all(window);
  EXPECT_EQ(window.acknowledge(2), Answer::finished);
}

TEST(AWindow, GoesBackAfterSilence) {
  Window window(3);
  send_all(window);
  window.go_back();
  EXPECT_EQ(window.next(), 1U);
  EXPECT_EQ(window.room(), 3U);
}

TEST(APace, DoublesAtEachSilenceAndGivesUp) {
  Pace pace;
  const auto first = pace.patience();
  EXPECT_TRUE(pace.note_silence());
  EXPECT_EQ(pace.patience(), 2 * first);
  Clock::duration sum = 3 * first;
  while (pace.note_silence()) sum += pace.patience();
  EXPECT_LE(sum, std::chrono::seconds(60));
  EXPECT_LE(pace.patience(), Pace::longest);
}

TEST(APace, FollowsTheRoundTripWithinBounds) {
  Pace pace;
  for (int i = 0; i < 20; ++i) pace.note_round_trip(std::chrono::milliseconds(1));
  EXPECT_EQ(pace.patience(), std::chrono::milliseconds(200));
  for (int i = 0; i < 50; ++i) pace.note_round_trip(std::chrono::seconds(3));
  EXPECT_GE(pace.patience(), std::chrono::seconds(3));
  EXPECT_LE(pace.patience(), std::chrono::seconds(4));
}

TEST(APace, IsTheClientsWhereItNamedOne) {
  Pace pace(std::chrono::seconds(7));
  pace.note_round_trip(std::chrono::milliseconds(1));
  EXPECT_TRUE(pace.note_silence());
  EXPECT_EQ(pace.patience(), std::chrono::seconds(7));
}

TEST(Netascii, IsTheSameWhateverTheBlocks) {
  using namespace std::string_literals;
  const auto text = "one\ntwo\r\n\r\r\n\nlast\r"s;
  const auto wire = "one\r\ntwo\r\0\r\n\r\0\r\0\r\n\r\nlast\r\0"s;
  for (std::size_t block = 1; block < 40; ++block) {
    EXPECT_EQ(to_netascii(text, block), wire) << block;
    EXPECT_EQ(from_netascii(wire, block), text) << block;
  }
}

TEST(Netascii, KeepsWhatIsAgainstItsRules) {
  for (std::size_t block = 1; block < 8; ++block) {
    EXPECT_EQ(from_netascii("a\rb\r", block), "a\rb\r") << block;
    EXPECT_EQ(from_netascii("a\nb", block), "a\nb") << block;
  }
}
