// What a raw listener's packets become before a handler sees them.

#include <cstring>

#include "superd/net/ip_header.h"
#include "superd/serve/datagram_queue.h"
#include "superd/serve/packets.h"
#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

/// A service that answers everything alike, or can tell.
class Answers final : public Service {
 public:
  explicit Answers(bool tells) : tells_(tells) {}
  task<> serve(Datagram&) override { co_return; }
  [[nodiscard]] bool tells_answers_from_requests() const noexcept override { return tells_; }

 private:
  const bool tells_;
};

class ARawPacket : public ::testing::Test {
 protected:
  void SetUp() override {
    const Socket probe(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    if (!probe.is_open()) GTEST_SKIP() << "raw sockets are not permitted here";
  }

  static std::shared_ptr<Listener> listener(std::string_view text, bool tells = false, bool own_header = false) {
    ListenOptions options;
    options.raw.own_header = own_header;
    auto socket = listen_at(text, options);
    const auto local = local_endpoint(socket).value();
    return std::make_shared<Listener>(std::move(socket), Transport::raw, local,
                                      hosted_with(std::make_shared<Answers>(tells)));
  }

  /// As a raw socket of IPv4 receives it.
  static std::unique_ptr<DatagramSlot> received(std::string_view source, std::string_view destination,
                                                std::string_view payload, std::uint32_t interface = 7) {
    auto slot = std::make_unique<DatagramSlot>();
    slot->from = endpoint(std::string(source) + ":0");
    const Ipv4Fields fields{
        .source = slot->from, .destination = endpoint(std::string(destination) + ":0"), .protocol = 254, .ttl = 17};
    const auto header = write_ipv4_header(fields, payload.size(), slot->bytes).value();
    std::memcpy(slot->bytes.data() + header, payload.data(), payload.size());
    slot->size = header + payload.size();
    slot->interface = interface;
    return slot;
  }
};

}  // namespace

TEST_F(ARawPacket, LosesItsHeaderAndKeepsWhatItSaid) {
  const auto door = listener("raw/254");
  const auto slot = received("192.0.2.1", "192.0.2.2", "hello");
  ASSERT_TRUE(open_packet(*slot, *door));
  EXPECT_EQ(text_of(*slot), "hello");
  EXPECT_EQ(slot->ip_header().size(), 20U);
  EXPECT_EQ(slot->ttl, 17);
  EXPECT_EQ(slot->to, endpoint("192.0.2.2:0"));
  EXPECT_FALSE(slot->silent);
}

TEST_F(ARawPacket, ThatIsCutIsNone) {
  const auto door = listener("raw/254");
  for (const std::size_t size : {0U, 1U, 19U, 20U, 24U}) {
    const auto slot = received("192.0.2.1", "192.0.2.2", "hello");
    slot->size = size;
    EXPECT_FALSE(open_packet(*slot, *door)) << size;
  }
  const auto slot = received("192.0.2.1", "192.0.2.2", "hello");
  slot->bytes[0] = std::byte{0x4f};  // a header of sixty bytes
  EXPECT_FALSE(open_packet(*slot, *door));
}

TEST_F(ARawPacket, ToManyOrOfNobodyIsNeverAnswered) {
  const auto door = listener("raw/254", true);
  const auto is_silent = [&](std::string_view source, std::string_view destination, bool to_many = false) {
    const auto slot = received(source, destination, "hello");
    slot->to_many = to_many;
    EXPECT_TRUE(open_packet(*slot, *door));
    return slot->silent;
  };
  EXPECT_FALSE(is_silent("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(is_silent("192.0.2.1", "224.0.0.1"));
  EXPECT_TRUE(is_silent("192.0.2.1", "255.255.255.255"));
  EXPECT_TRUE(is_silent("192.0.2.1", "192.0.2.255", true));
  EXPECT_TRUE(is_silent("224.0.0.1", "192.0.2.2"));
  EXPECT_TRUE(is_silent("0.0.0.0", "192.0.2.2"));
  EXPECT_TRUE(is_silent("255.255.255.255", "192.0.2.2"));
}

TEST_F(ARawPacket, ThatMayBeOurOwnAnswerIsNotAnsweredButByWhoCanTell) {
  constexpr std::uint32_t loopback = 1;
  const auto is_silent = [&](const std::shared_ptr<Listener>& door, std::string_view source) {
    const auto slot = received(source, "127.77.0.5", "hello", loopback);
    EXPECT_TRUE(open_packet(*slot, *door));
    return slot->silent;
  };
  EXPECT_TRUE(is_silent(listener("raw/254"), "127.0.0.1"));
  EXPECT_FALSE(is_silent(listener("raw/254", true), "127.0.0.1"));
  // Bound to one address, it hears its own answers only when they go there.
  EXPECT_FALSE(is_silent(listener("raw/127.77.0.5:254"), "127.0.0.1"));
  EXPECT_TRUE(is_silent(listener("raw/127.77.0.5:254"), "127.77.0.5"));
}

TEST_F(ARawPacket, IsTheSameAfterItHasWaitedInAQueue) {
  const auto door = listener("raw/254");
  const auto slot = received("192.0.2.1", "224.0.0.1", "hello");
  ASSERT_TRUE(open_packet(*slot, *door));
  DatagramQueue queue(1 << 20);
  ASSERT_TRUE(queue.put(*slot));
  const auto later = std::make_unique<DatagramSlot>();
  queue.copy_first(*later);
  EXPECT_EQ(text_of(*later), "hello");
  EXPECT_EQ(later->ip_header().size(), 20U);
  EXPECT_EQ(later->ttl, 17);
  EXPECT_TRUE(later->silent);
}

namespace {

class Gathers final : public AnswerPath {
 public:
  void send(DatagramSlot&, std::span<const std::byte> bytes) override {
    sent.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  std::vector<std::string> sent;
};

}  // namespace

TEST_F(ARawPacket, IsAnsweredWithAHeaderOfOnesOwnOnlyToItsSender) {
  const auto door = listener("raw/254", true, true);
  ASSERT_EQ(door->packets, Listener::Packets::own_header);
  auto slot = received("192.0.2.1", "192.0.2.2", "hello");
  ASSERT_TRUE(open_packet(*slot, *door));
  Gathers path;
  AnyWaiter loop("poll");
  Datagram request(slot, door, loop.waiter(), path);
  const auto packet_to = [](std::string_view destination) {
    std::vector<std::byte> packet(25);
    const Ipv4Fields fields{.source = endpoint("192.0.2.2:0"),
                            .destination = endpoint(std::string(destination) + ":0"),
                            .protocol = 254,
                            .ttl = 3};
    EXPECT_TRUE(write_ipv4_header(fields, 5, packet));
    return packet;
  };
  EXPECT_TRUE(request.reply_with_header(packet_to("192.0.2.1")));
  EXPECT_FALSE(request.reply_with_header(packet_to("192.0.2.9")));
  auto wrong = packet_to("192.0.2.1");
  wrong[0] = std::byte{0x4f};
  EXPECT_FALSE(request.reply_with_header(wrong));
  EXPECT_FALSE(request.reply_with_header(std::span<const std::byte>(wrong).first(3)));
  EXPECT_TRUE(request.reply("plain"));
  ASSERT_EQ(path.sent.size(), 2U);
  EXPECT_EQ(path.sent[1].size(), 25U);  // with a header that reply() has written
  EXPECT_EQ(request.packet().protocol, 254);
}

TEST_F(ARawPacket, OfAListenerWithoutOwnHeaderTakesNone) {
  const auto door = listener("raw/254", true);
  auto slot = received("192.0.2.1", "192.0.2.2", "hello");
  ASSERT_TRUE(open_packet(*slot, *door));
  Gathers path;
  AnyWaiter loop("poll");
  Datagram request(slot, door, loop.waiter(), path);
  const std::vector<std::byte> packet(25);
  EXPECT_FALSE(request.reply_with_header(packet));
  EXPECT_TRUE(path.sent.empty());
}
