#include "superd/net/ip_header.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "packets_test.h"

namespace superd {
namespace {

Endpoint address(const char* text) { return *Endpoint::parse(text, 0); }

/// 10.0.0.1 to 10.0.0.2, protocol 253, two bytes of payload; the checksum by hand.
const Bytes small =
    bytes({0x45, 0x10, 0, 22, 0x12, 0x34, 0x40, 0, 64, 253, 0x13, 0xa5, 10, 0, 0, 1, 10, 0, 0, 2, 7, 8});

TEST(Ipv4View, tells_what_the_header_says) {
  const auto view = Ipv4View::parse(small);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source(), address("10.0.0.1"));
  EXPECT_EQ(view->destination(), address("10.0.0.2"));
  EXPECT_EQ(view->source_number(), 0x0a000001U);
  EXPECT_EQ(view->ttl(), 64);
  EXPECT_EQ(view->protocol(), 253);
  EXPECT_EQ(view->tos(), 0x10);
  EXPECT_EQ(view->id(), 0x1234);
  EXPECT_TRUE(view->dont_fragment());
  EXPECT_FALSE(view->is_fragment());
  EXPECT_TRUE(view->has_right_checksum());
  EXPECT_TRUE(view->options().empty());
  EXPECT_EQ(view->payload().size(), 2U);
}

TEST(Ipv4View, a_frames_padding_is_not_payload) {
  const auto padded = small + Bytes(26);
  EXPECT_EQ(Ipv4View::parse(padded)->payload().size(), 2U);
}

TEST(Ipv4View, bytes_that_are_no_packet_are_refused_with_the_reason) {
  const auto with = [](std::size_t at, int value) {
    auto changed = small;
    changed[at] = static_cast<std::byte>(value);
    return changed;
  };
  const auto fault = [](const Bytes& packet) { return Ipv4View::parse(packet).error(); };
  EXPECT_EQ(fault(Bytes(small.begin(), small.begin() + 19)), PacketFault::short_packet);
  EXPECT_EQ(fault({}), PacketFault::short_packet);
  EXPECT_EQ(fault(with(0, 0x65)), PacketFault::version);
  EXPECT_EQ(fault(with(0, 0x44)), PacketFault::header_length);
  EXPECT_EQ(fault(with(0, 0x46)), PacketFault::header_length);
  EXPECT_EQ(fault(with(3, 19)), PacketFault::total_length);
  EXPECT_EQ(fault(with(3, 23)), PacketFault::total_length);
  EXPECT_FALSE(Ipv4View::parse(with(8, 63))->has_right_checksum());
}

TEST(Ipv4View, a_quoted_packet_may_be_cut_off) {
  const Bytes cut(small.begin(), small.begin() + 21);
  const auto view = Ipv4View::parse_quoted(cut);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->is_cut());
  EXPECT_EQ(view->payload().size(), 1U);
}

TEST(Ipv4Header, what_is_written_reads_back_and_sums_up) {
  const auto options = bytes({1, 1, 1, 0});
  const Ipv4Fields fields{.source = address("192.0.2.1"),
                          .destination = address("192.0.2.2"),
                          .protocol = 17,
                          .ttl = 3,
                          .tos = 8,
                          .id = 99,
                          .more_fragments = true,
                          .fragment_offset = 1480,
                          .options = options};
  Bytes packet(24 + 10);
  ASSERT_EQ(write_ipv4_header(fields, 10, packet), 24U);
  const auto view = Ipv4View::parse(packet);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->has_right_checksum());
  EXPECT_EQ(view->source(), fields.source);
  EXPECT_EQ(view->destination(), fields.destination);
  EXPECT_EQ(view->total_length(), 34);
  EXPECT_EQ(view->ttl(), 3);
  EXPECT_EQ(view->fragment_offset(), 1480U);
  EXPECT_TRUE(view->more_fragments());
  EXPECT_TRUE(std::ranges::equal(view->options(), options));
}

TEST(Ipv4Header, what_no_header_can_say_is_refused_with_the_reason) {
  Ipv4Fields fields{.source = address("192.0.2.1"), .destination = address("192.0.2.2")};
  Bytes room(60);
  const auto fault = [&](std::size_t payload) { return write_ipv4_header(fields, payload, room).error(); };
  EXPECT_EQ(fault(65516), PacketFault::too_long);
  EXPECT_TRUE(write_ipv4_header(fields, 65515, room));
  const auto odd = bytes({1, 1});
  fields.options = odd;
  EXPECT_EQ(fault(0), PacketFault::options);
  fields.options = {};
  fields.fragment_offset = 4;
  EXPECT_EQ(fault(0), PacketFault::fragment_offset);
  fields.fragment_offset = 0;
  room.resize(19);
  EXPECT_EQ(fault(0), PacketFault::no_room);
  fields.source = address("::1");
  EXPECT_EQ(fault(0), PacketFault::address_family);
}

Bytes v6_header(int protocol, int payload) {
  auto header = bytes({0x60, 0x12, 0x34, 0x56, 0, payload, protocol, 9}) + Bytes(32);
  header[23] = std::byte{1};
  header[39] = std::byte{2};
  return header;
}

TEST(Ipv6View, extension_headers_are_skipped) {
  const auto hop_by_hop = bytes({44, 0, 1, 4, 0, 0, 0, 0}), first_fragment = bytes({17, 0, 0, 1, 0, 0, 0, 1});
  const auto packet = v6_header(0, 24) + hop_by_hop + first_fragment + bytes({1, 2, 3, 4, 5, 6, 7, 8});
  const auto view = Ipv6View::parse_quoted(packet);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->source(), address("::1"));
  EXPECT_EQ(view->destination(), address("::2"));
  EXPECT_EQ(view->hop_limit(), 9);
  EXPECT_EQ(view->traffic_class(), 1);
  EXPECT_EQ(view->flow_label(), 0x23456U);
  EXPECT_EQ(view->protocol(), 17);
  EXPECT_EQ(view->payload().size(), 8U);
  EXPECT_FALSE(view->is_later_fragment());
  EXPECT_FALSE(view->is_cut());
}

TEST(Ipv6View, a_later_fragment_has_no_upper_header) {
  const auto packet = v6_header(44, 16) + bytes({17, 0, 0, 8, 0, 0, 0, 1}) + Bytes(8);
  EXPECT_TRUE(Ipv6View::parse_quoted(packet)->is_later_fragment());
}

TEST(Ipv6View, an_extension_that_goes_beyond_the_end_is_a_fault) {
  const auto packet = v6_header(0, 8) + bytes({17, 1, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(Ipv6View::parse_quoted(packet).error(), PacketFault::header_length);
  EXPECT_EQ(Ipv6View::parse_quoted(Bytes(39)).error(), PacketFault::short_packet);
  EXPECT_EQ(Ipv6View::parse_quoted(Bytes(40)).error(), PacketFault::version);
}

}  // namespace
}  // namespace superd
