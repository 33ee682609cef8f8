#include "superd/net/icmp.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "packets_test.h"
#include "superd/net/icmp_names.h"
#include "superd/net/ip_header.h"

namespace superd {
namespace {

Endpoint address(const char* text) { return *Endpoint::parse(text, 0); }

/// An echo request from 10.0.0.1 to 10.0.0.2, id 0x1122, sequence 0x3344.
Bytes quoted_echo() {
  Bytes packet(28);
  const std::span<std::byte> whole(packet);
  EXPECT_TRUE(write_icmp_v4({.type = icmp_v4::echo_request, .id = 0x1122, .sequence = 0x3344}, whole.subspan(20)));
  const Ipv4Fields fields{.source = address("10.0.0.1"), .destination = address("10.0.0.2"), .protocol = 1, .ttl = 1};
  EXPECT_TRUE(write_ipv4_header(fields, 8, whole));
  return packet;
}

Bytes time_exceeded(const Bytes& quote, int length = 0) {
  return summed(bytes({11, 0, 0, 0, 0, length, 0, 0}) + quote);
}

TEST(Icmp, an_echo_that_is_written_reads_back) {
  auto message = Bytes(8) + bytes({1, 2, 3});
  ASSERT_TRUE(write_icmp_v4({.type = icmp_v4::echo_request, .id = 7, .sequence = 9}, message));
  const auto view = IcmpView::parse_v4(message);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->is_echo_request());
  EXPECT_FALSE(view->is_error());
  EXPECT_EQ(view->id(), 7);
  EXPECT_EQ(view->sequence(), 9);
  EXPECT_EQ(view->body().size(), 3U);
  EXPECT_FALSE(write_icmp_v4({}, std::span(message).first(7)));
}

TEST(Icmp, a_damaged_message_is_refused) {
  auto message = time_exceeded(quoted_echo());
  message[9] ^= std::byte{1};
  EXPECT_EQ(IcmpView::parse_v4(message).error(), PacketFault::checksum);
  EXPECT_TRUE(IcmpView::parse_verified(IcmpVersion::v4, message));
  EXPECT_EQ(IcmpView::parse_v4(Bytes(7)).error(), PacketFault::short_packet);
}

TEST(Icmp, version_six_sums_the_addresses_too) {
  const auto here = address("fe80::1"), there = address("fe80::2"), elsewhere = address("fe80::3");
  Bytes message(20);
  ASSERT_TRUE(write_icmp_v6({.type = icmp_v6::echo_request, .id = 1}, message, here, there));
  EXPECT_TRUE(IcmpView::parse_v6(message, here, there)->is_echo_request());
  EXPECT_EQ(IcmpView::parse_v6(message, here, elsewhere).error(), PacketFault::checksum);
  EXPECT_EQ(IcmpView::parse_v6(message, here, address("10.0.0.1")).error(), PacketFault::address_family);
}

TEST(Icmp, a_request_becomes_the_reply_that_a_new_sum_would_make) {
  for (int seed = 0; seed < 300; ++seed) {
    auto message = Bytes(8) + bytes({seed, seed * 7, 255, 254});
    ASSERT_TRUE(write_icmp_v4({.type = 8, .id = static_cast<std::uint16_t>(seed * 251)}, message));
    ASSERT_TRUE(turn_into_echo_reply(IcmpVersion::v4, message));
    EXPECT_TRUE(IcmpView::parse_v4(message)->is_echo_reply()) << seed;
    EXPECT_FALSE(turn_into_echo_reply(IcmpVersion::v4, message));
  }
  const auto here = address("::1"), there = address("::2");
  Bytes message(12);
  ASSERT_TRUE(write_icmp_v6({.type = 128}, message, here, there));
  ASSERT_TRUE(turn_into_echo_reply(IcmpVersion::v6, message));
  EXPECT_TRUE(IcmpView::parse_v6(message, there, here)->is_echo_reply());
}

TEST(Icmp, an_error_tells_which_packet_it_is_about) {
  const auto message = time_exceeded(quoted_echo());
  const auto view = IcmpView::parse_v4(message);
  ASSERT_TRUE(view && view->is_time_exceeded() && view->is_error());
  const auto quoted = view->quoted();
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->source, address("10.0.0.1"));
  EXPECT_EQ(quoted->destination, address("10.0.0.2"));
  ASSERT_TRUE(quoted->has_echo());
  EXPECT_EQ(quoted->id(), 0x1122);
  EXPECT_EQ(quoted->sequence(), 0x3344);
}

TEST(Icmp, a_quote_without_a_whole_header_is_a_fault) {
  auto quote = quoted_echo();
  for (std::size_t size = 0; size < 20; ++size) {
    const auto message = time_exceeded(Bytes(quote.begin(), quote.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(IcmpView::parse_v4(message)->quoted().error(), PacketFault::quote) << size;
  }
  quote.resize(27);
  const auto message = time_exceeded(quote);
  const auto quoted = IcmpView::parse_v4(message)->quoted();
  ASSERT_TRUE(quoted);
  EXPECT_TRUE(quoted->has_ports());
  EXPECT_FALSE(quoted->has_echo());
}

TEST(Icmp, a_later_fragment_that_is_quoted_has_neither_ports_nor_echo) {
  auto quote = quoted_echo();
  quote[7] = std::byte{1};
  const auto message = time_exceeded(quote);
  const auto quoted = IcmpView::parse_v4(message)->quoted();
  ASSERT_TRUE(quoted);
  EXPECT_FALSE(quoted->has_ports());
  EXPECT_FALSE(quoted->has_echo());
}

TEST(Icmp, the_length_field_parts_quote_and_extensions) {
  const auto quote = quoted_echo() + Bytes(100);
  auto labels = summed(bytes({0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4}));
  const auto message = time_exceeded(quote + labels, 32);
  const auto view = IcmpView::parse_v4(message);
  ASSERT_TRUE(view && view->quoted());
  EXPECT_TRUE(std::ranges::equal(view->extensions(), labels));

  labels[5] = std::byte{9};
  const auto damaged = time_exceeded(quote + labels, 32);
  EXPECT_TRUE(IcmpView::parse_v4(damaged)->extensions().empty());
  const auto beyond = time_exceeded(quote, 33);
  EXPECT_EQ(IcmpView::parse_v4(beyond)->quoted().error(), PacketFault::quote);
}

TEST(Icmp, version_six_quotes_version_six) {
  auto packet = bytes({0x60, 0, 0, 0, 0, 8, 58, 1}) + Bytes(32) + bytes({128, 0, 0, 0, 0, 5, 0, 6});
  const auto message = bytes({3, 0, 0, 0, 0, 0, 0, 0}) + packet;
  const auto view = IcmpView::parse_verified(IcmpVersion::v6, message);
  ASSERT_TRUE(view->is_time_exceeded());
  const auto quoted = view->quoted();
  ASSERT_TRUE(quoted && quoted->has_echo());
  EXPECT_EQ(quoted->id(), 5);
  EXPECT_EQ(quoted->sequence(), 6);
}

TEST(Icmp, too_big_tells_what_fits) {
  const auto needed = bytes({3, 4, 0, 0, 0, 0, 0x05, 0x14}), big = bytes({2, 0, 0, 0, 0, 0, 0x05, 0x00});
  EXPECT_EQ(IcmpView::parse_verified(IcmpVersion::v4, needed)->mtu(), 1300U);
  EXPECT_EQ(IcmpView::parse_verified(IcmpVersion::v6, big)->mtu(), 1280U);
}

TEST(Icmp, types_and_codes_have_names) {
  EXPECT_EQ(icmp_name(IcmpVersion::v4, 3, 1), "host unreachable");
  EXPECT_EQ(icmp_name(IcmpVersion::v4, 3, 200), "unreachable");
  EXPECT_EQ(icmp_name(IcmpVersion::v4, 200, 7), "type 200 code 7");
  EXPECT_EQ(icmp_name(IcmpVersion::v6, 3, 0), "time exceeded in transit");
  EXPECT_EQ(icmp_name(IcmpVersion::v6, 128, 0), "echo request");
}

}  // namespace
}  // namespace superd
