#include "superd/net/classic_bpf.h"
#include "superd/net/icmp_types.h"
#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

TEST(AFilterProgram, IsReadAsTcpdumpPrintsIt) {
  const auto program = parse_bpf("2\n48 0 0 9\n6 0 0 262144\n");
  ASSERT_TRUE(program) << program.error().what;
  ASSERT_EQ(program->size(), 2U);
  EXPECT_EQ((*program)[0].code, 48);
  EXPECT_EQ((*program)[1].k, 262'144U);
  EXPECT_EQ(bpf_text(*program), "2,48 0 0 9,6 0 0 262144");
  EXPECT_EQ(bpf_text(parse_bpf(bpf_text(*program)).value()), bpf_text(*program));
}

TEST(AFilterProgram, ThatIsNoneIsRefused) {
  for (const auto* text : {"", "0", "x", "5000", "2,6 0 0 0", "1,6 0 0", "1,6 0 256 0", "1,6 0 0 4294967296",
                           "1,-6 0 0 0", "1,6 0 0 0,6 0 0 0"})
    EXPECT_FALSE(parse_bpf(text)) << text;
}

TEST(ATypeOfIcmp, HasOneNameInBothVersions) {
  EXPECT_EQ(icmp_type_of("echo-request", IcmpVersion::v4), 8);
  EXPECT_EQ(icmp_type_of("echo-request", IcmpVersion::v6), 128);
  EXPECT_EQ(icmp_type_of("13", IcmpVersion::v4), 13);
  EXPECT_EQ(icmp_type_of("143", IcmpVersion::v6), 143);
  EXPECT_EQ(icmp_type_of("timestamp-request", IcmpVersion::v6), std::nullopt);
  EXPECT_EQ(icmp_type_of("32", IcmpVersion::v4), std::nullopt);  // beyond the kernel's mask
  EXPECT_EQ(icmp_type_of("256", IcmpVersion::v6), std::nullopt);
  EXPECT_EQ(icmp_type_of("08", IcmpVersion::v4), std::nullopt);
  EXPECT_EQ(icmp_type_of("", IcmpVersion::v4), std::nullopt);
}

namespace {

/// Raw sockets on the loopback, which may be had by root alone.
class ARawSocket : public ::testing::Test {
 protected:
  void SetUp() override {
    const Socket probe(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    if (!probe.is_open()) GTEST_SKIP() << "raw sockets are not permitted here";
  }
  static void send_to(std::string_view host, std::string_view payload, int protocol) {
    const Socket sender(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol));
    const auto where = Endpoint::parse(host, 0).value();
    ASSERT_EQ(::sendto(sender.fd(), payload.data(), payload.size(), 0, where.address(), where.size()),
              static_cast<ssize_t>(payload.size()));
  }
};

}  // namespace

TEST_F(ARawSocket, TellsWhereAPacketWasSentAndByWhichInterface) {
  const auto socket = listen_at("raw/127.77.0.1:254");
  send_to("127.77.0.1", "hello", 254);
  const Slots slots(1);
  ASSERT_EQ(receive(socket, slots), 1U);
  EXPECT_EQ(slots[0].size, 25U);  // the header comes along
  EXPECT_EQ(slots[0].to, endpoint("127.77.0.1:0"));
  EXPECT_EQ(slots[0].interface, 1U);
  EXPECT_FALSE(slots[0].to_many);
}

TEST_F(ARawSocket, ReceivesNothingThatItsFilterDoesNotPass) {
  ListenOptions options;
  options.raw.filter = parse_bpf("4,48 0 0 20,21 0 1 98,6 0 0 65535,6 0 0 0").value();  // payload begins with 'b'
  const auto socket = listen_at("raw/127.77.0.2:254", options);
  for (const auto* text : {"alpha", "beta", "gamma"}) send_to("127.77.0.2", text, 254);
  const Slots slots(4);
  ASSERT_EQ(receive(socket, slots), 1U);
  EXPECT_EQ(text_of(slots[0]).substr(20), "beta");
}

TEST_F(ARawSocket, IsRefusedAProgramThatTheKernelDoesNotTake) {
  ListenOptions options;
  options.raw.filter = parse_bpf("1,48 0 0 0").value();  // never returns
  const auto refusal = refusal_of("raw/127.77.0.3:254", options);
  EXPECT_NE(refusal.what.find("attach the filter of raw/127.77.0.3:254"), std::string::npos) << refusal.what;
}

TEST_F(ARawSocket, SaysWhereItIsAndWhatIsItsProtocol) {
  const auto socket = listen_at("raw/127.77.0.4:254");
  EXPECT_EQ(local_endpoint(socket).value(), endpoint("127.77.0.4:254"));
}
