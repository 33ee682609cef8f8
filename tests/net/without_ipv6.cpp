#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// From here on the process runs on a kernel without IPv6: socket(AF_INET6) is EAFNOSUPPORT.
bool take_ipv6_away() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),  // the low half, on a little-endian machine
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

TEST(AWildcard, IsIpv4AloneWhereIpv6IsMissing) {
  for (const auto* text : {"tcp/0", "udp/0"}) {
    const auto answer = in_child([text]() -> std::string {
      if (!take_ipv6_away()) return "no seccomp";
      const auto socket = passive(address(text), {});
      return socket ? local_endpoint(*socket)->text() : socket.error().what;
    });
    EXPECT_EQ(answer.substr(0, 8), "0.0.0.0:") << answer;
  }
}

TEST(AnIpv6Address, IsAnErrorWhereIpv6IsMissing) {
  const auto answer = in_child([]() -> std::string {
    if (!take_ipv6_away()) return "no seccomp";
    return refusal_of("tcp/[::1]:0").what;
  });
  EXPECT_EQ(answer, "open a socket for tcp [::1]:0: address family not supported by protocol");
}
