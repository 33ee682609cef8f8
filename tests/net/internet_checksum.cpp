#include "superd/net/internet_checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "packets_test.h"

namespace superd {
namespace {

/// The sum as RFC 1071 writes it in its section 4.1.
std::uint16_t plain_sum(const Bytes& message) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < message.size(); at += 2) {
    sum += std::to_integer<std::uint32_t>(message[at]) << 8;
    if (at + 1 < message.size()) sum += std::to_integer<std::uint32_t>(message[at + 1]);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Bytes random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  Bytes made(size);
  for (auto& byte : made) byte = static_cast<std::byte>(random());
  return made;
}

TEST(InternetChecksum, is_that_of_the_example_of_rfc_1071) {
  const auto example = bytes({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7});
  EXPECT_EQ(internet_checksum(example), 0xffff ^ 0xddf2);
}

TEST(InternetChecksum, agrees_with_the_plain_sum_at_every_length) {
  for (std::size_t size = 0; size < 200; ++size) {
    const auto message = random_bytes(size, static_cast<unsigned>(size));
    EXPECT_EQ(internet_checksum(message), plain_sum(message)) << size;
  }
}

TEST(InternetChecksum, carries_are_not_lost_in_the_largest_packet) {
  const Bytes message(65535, std::byte{0xff});
  EXPECT_EQ(internet_checksum(message), plain_sum(message));
}

TEST(InternetChecksum, of_pieces_is_that_of_the_whole) {
  const auto message = random_bytes(151, 7);
  const std::span<const std::byte> whole(message);
  for (std::size_t cut = 0; cut <= 150; cut += 2) {
    InternetChecksum sum;
    sum.add(whole.first(cut)).add(whole.subspan(cut));
    EXPECT_EQ(sum.value(), internet_checksum(whole)) << cut;
  }
}

TEST(InternetChecksum, pseudo_header_is_summed_as_the_bytes_of_rfc_8200) {
  in6_addr source{}, destination{};
  source.s6_addr[15] = 1;
  destination.s6_addr[0] = 0xfe;
  destination.s6_addr[15] = 2;
  Bytes pseudo(40);
  pseudo[15] = std::byte{1};
  pseudo[16] = std::byte{0xfe};
  pseudo[31] = std::byte{2};
  pseudo[34] = std::byte{0x12};
  pseudo[35] = std::byte{0x34};
  pseudo[39] = std::byte{58};
  EXPECT_EQ(InternetChecksum().add_pseudo_header(source, destination, 0x1234, 58).value(), internet_checksum(pseudo));
}

TEST(InternetChecksum, a_changed_word_changes_the_sum_as_a_new_sum_would) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    auto message = random_bytes(20, seed);
    const auto before = internet_checksum(message);
    const auto word =
        static_cast<std::uint16_t>(std::to_integer<unsigned>(message[4]) << 8 | std::to_integer<unsigned>(message[5]));
    message[4] = std::byte{0x12};
    message[5] = std::byte{0x34};
    EXPECT_EQ(changed_checksum(before, word, 0x1234), internet_checksum(message)) << seed;
  }
}

}  // namespace
}  // namespace superd
