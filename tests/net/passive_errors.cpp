#include <cstdio>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

int first_free_port() {
  int port = 1024;
  if (std::FILE* file = std::fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re")) {
    if (std::fscanf(file, "%d", &port) != 1) port = 1024;  // NOLINT(cert-err34-c): the kernel's own number
    std::fclose(file);
  }
  return port;
}

}  // namespace

TEST(ASecondServer, IsRefusedWithTheRemedy) {
  for (const std::string transport : {"tcp/", "udp/"}) {
    const auto first = listen_at(transport + "127.0.0.1:0");
    const auto where = local_endpoint(first)->text();
    const auto refused = refusal_of(transport + where);
    EXPECT_EQ(refused.code, EADDRINUSE);
    EXPECT_EQ(refused.what, "bind " + transport.substr(0, 3) + ' ' + where +
                                ": address already in use; another program listens there: choose another port or stop "
                                "it (ss -lnp shows it)");
  }
}

TEST(ASecondServer, IsRefusedOnTheWildcardToo) {
  for (const std::string transport : {"tcp/", "udp/"}) {
    const auto first = listen_at(transport + "0");
    EXPECT_EQ(refusal_of(transport + std::to_string(local_endpoint(first)->port())).code, EADDRINUSE);
  }
}

TEST(AnAddressOfAnotherMachine, IsRefusedWithTheRemedy) {
  const auto refused = refusal_of("tcp/192.0.2.77:7777");  // TEST-NET-1 (RFC 5737)
  EXPECT_EQ(refused.code, EADDRNOTAVAIL);
  EXPECT_EQ(refused.what,
            "bind tcp 192.0.2.77:7777: cannot assign requested address; no interface has this address (ip address "
            "shows them); when_absent = \"retry\" waits for it");
}

TEST(AMissingInterface, IsRefusedWithTheRemedy) {
  for (const auto* text : {"tcp/*%no-such-if:7777", "udp/127.0.0.1%no-such-if:7777", "udp/[fe80::1%no-such-if]:7777"}) {
    const auto refused = refusal_of(text);
    EXPECT_EQ(refused.code, ENODEV) << text;
    EXPECT_NE(refused.what.find("%no-such-if: no such device; no interface has this name"), std::string::npos)
        << refused.what;
  }
}

TEST(ALowPort, WithoutPrivilegeIsRefusedWithTheRemedy) {
  if (first_free_port() <= 37) GTEST_SKIP() << "everybody may bind port 37 here";
  const auto message = in_child([]() -> std::string {
    if (::getuid() == 0 && ::setuid(65534) != 0) return "cannot become nobody";
    return refusal_of("udp/0.0.0.0:37").what;
  });
  EXPECT_EQ(message, "bind udp 0.0.0.0:37: permission denied; ports below 1024 need CAP_NET_BIND_SERVICE or port_base");
}

TEST(ThePortBase, IsAddedToEveryPort) {
  const auto found = listen_at("udp/127.0.0.1:0");
  const auto free_port = local_endpoint(found)->port();
  ListenOptions options;
  options.port_base = static_cast<std::uint16_t>(free_port - 13);
  // The sum is what the first socket holds: were the base forgotten, port 13 would be free or forbidden.
  const auto refused = refusal_of("udp/127.0.0.1:13", options);
  EXPECT_EQ(refused.code, EADDRINUSE);
  EXPECT_NE(refused.what.find("127.0.0.1:" + std::to_string(free_port)), std::string::npos) << refused.what;
}

TEST(ThePortBase, CannotMakeAPortOver65535) {
  ListenOptions options;
  options.port_base = 60'000;
  const auto refused = refusal_of("tcp/127.0.0.1:5536", options);
  EXPECT_EQ(refused.what,
            "bind tcp 127.0.0.1:5536: port 5536 and port_base 60000 make more than 65535; choose a smaller port_base");
}

TEST(ThePortBase, LeavesTheKernelItsChoice) {
  ListenOptions options;
  options.port_base = 1;  // where it added to 0, port 1 would be bound, or refused
  EXPECT_GT(local_endpoint(listen_at("udp/127.0.0.1:0", options))->port(), 1);
}
