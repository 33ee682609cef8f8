#include <netinet/in.h>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

TEST(ReceivedDatagrams, AreInOrderWithTheirSenders) {
  const auto server = listen_at("udp/127.0.0.1:0");
  const auto one = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  const auto two = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  send_text(one, "first");
  send_text(two, "");
  send_text(one, "third");
  const Slots slots(8);
  ASSERT_EQ(receive(server, slots), 3U);
  EXPECT_EQ(text_of(slots[0]), "first");
  EXPECT_EQ(text_of(slots[1]), "");
  EXPECT_EQ(text_of(slots[2]), "third");
  EXPECT_EQ(slots[0].from, *local_endpoint(one));
  EXPECT_EQ(slots[1].from, *local_endpoint(two));
  EXPECT_FALSE(slots[0].truncated);
}

TEST(ReceivedDatagrams, AreNoMoreThanTheSlots) {
  const auto server = listen_at("udp/127.0.0.1:0");
  const auto client = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  for (const auto* text : {"a", "b", "c"}) send_text(client, text);
  const Slots slots(2);
  ASSERT_EQ(receive(server, slots), 2U);
  EXPECT_EQ(text_of(slots[1]), "b");
  ASSERT_EQ(receive(server, slots), 1U);
  EXPECT_EQ(text_of(slots[0]), "c");
}

TEST(ReceivedDatagrams, DoNotMixUpSlotsThatChangePlaces) {
  const auto server = listen_at("udp/127.0.0.1:0");
  const auto client = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  const Slots slots(3);
  DatagramSlot* orders[][2] = {
      {&slots[0], &slots[1]},
      {&slots[1], &slots[2]},
      {&slots[2], &slots[0]}
  };
  for (auto& order : orders) {
    send_text(client, "left");
    send_text(client, "right one");
    ASSERT_TRUE(is_readable(server));
    ASSERT_EQ(receive_datagrams(server.fd(), order, MSG_DONTWAIT).value_or(0), 2U);
    EXPECT_EQ(text_of(*order[0]), "left");
    EXPECT_EQ(text_of(*order[1]), "right one");
    EXPECT_EQ(order[0]->from, *local_endpoint(client));
  }
}

TEST(ReceivedDatagrams, OfAnotherFamilyFitTheSameSlot) {
  if (!has_v6()) GTEST_SKIP() << "no ::1 here";
  const Slots slots(1);
  for (const auto* host : {"127.0.0.1", "::1", "127.0.0.1", "::1"}) {
    const auto server = listen_at(host[0] == ':' ? "udp/[::1]:0" : "udp/127.0.0.1:0");
    const auto client = connected_to(door_of(server, host), SOCK_DGRAM);
    send_text(client, "x");
    ASSERT_EQ(receive(server, slots), 1U);
    EXPECT_EQ(slots[0].from, *local_endpoint(client));
    EXPECT_EQ(slots[0].from.size(), local_endpoint(client)->size());
  }
}

TEST(ReceivingWithoutWaiting, SaysThatNothingIsThere) {
  const auto server = listen_at("udp/127.0.0.1:0");
  const Slots slots(1);
  const auto received = receive_datagrams(server.fd(), slots.all(), MSG_DONTWAIT);
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error(), EAGAIN);
  EXPECT_EQ(receive_datagrams(-1, slots.all(), MSG_DONTWAIT).error(), EBADF);
}

TEST(TheLargestDatagram, ArrivesWholeAndGoesBackWhole) {
  for (const auto* host : {"127.0.0.1", "::1"}) {
    if (host[0] == ':' && !has_v6()) continue;
    const auto server = listen_at("udp/0");
    const auto client = connected_to(door_of(server, host), SOCK_DGRAM);
    std::string large(65'507, 'x');
    large.front() = 'a';
    large.back() = 'z';
    ASSERT_TRUE(send_text(client, large)) << host;
    const Slots slots(2);
    ASSERT_EQ(receive(server, slots), 1U);
    EXPECT_FALSE(slots[0].truncated);
    EXPECT_EQ(text_of(slots[0]), large);
    Outbox outbox(server.fd());
    outbox.add(slots[0], slots[0].payload());
    EXPECT_EQ(outbox.flush().bytes, large.size());
    EXPECT_EQ(received_text(client), large) << host;
  }
}

TEST(ABurstOfTenThousand, FitsTheDefaultBuffer) {
  const auto server = listen_at("udp/127.0.0.1:0");
  constexpr std::size_t burst = 10'000;
  // A datagram of 16 bytes is charged with 832; the kernel tells the doubled size.
  if (option_of(server, SOL_SOCKET, SO_RCVBUF) < static_cast<int>(burst * 832))
    GTEST_SKIP() << "net.core.rmem_max is too small for it, and SO_RCVBUFFORCE is forbidden";
  const auto client = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  for (std::size_t i = 0; i < burst; ++i) ASSERT_TRUE(send_text(client, "sixteen bytes...")) << i;
  const Slots slots(64);
  std::size_t arrived = 0;
  while (const auto received = receive_datagrams(server.fd(), slots.all(), MSG_DONTWAIT)) arrived += *received;
  EXPECT_EQ(arrived, burst);
  EXPECT_EQ(slots[0].kernel_drops, 0U);
}

TEST(DatagramsTheKernelDropped, AreCounted) {
  ListenOptions options;
  options.receive_buffer = 4096;
  const auto server = listen_at("udp/127.0.0.1:0", options);
  const auto client = connected_to(door_of(server, "127.0.0.1"), SOCK_DGRAM);
  constexpr std::size_t sent = 500;
  for (std::size_t i = 0; i < sent; ++i) send_text(client, "more than fits");
  const Slots slots(64);
  std::size_t arrived = 0;
  while (const auto received = receive_datagrams(server.fd(), slots.all(), MSG_DONTWAIT)) arrived += *received;
  ASSERT_LT(arrived, sent);
  // The total comes with the next datagram that finds room.
  send_text(client, "late");
  ASSERT_EQ(receive(server, slots), 1U);
  EXPECT_EQ(slots[0].kernel_drops, sent - arrived);
}
