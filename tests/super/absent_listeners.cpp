#include "superd/super/absent_listeners.h"

#include <sched.h>

#include <cstdlib>

#include "tests/base/forked_process.h"
#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

ServiceTable waiting_for(const std::vector<std::string>& listen) {
  auto settings = service("one", "echo", listen);
  settings.options.when_absent = WhenAbsent::retry;
  return {.services = {settings}};
}

constexpr Time at(int seconds) { return Time(Seconds(seconds)); }

/// Runs in a process and a network of its own; 0: all was so. 77: no namespace is to be had.
int in_own_network(int (*work)()) {
  Process process([work] {
    if (::unshare(CLONE_NEWNET) != 0 || std::system("ip link set lo up 2>/dev/null") != 0) ::_exit(77);
    ::_exit(work());
  });
  return process.wait();
}

}  // namespace

TEST(AnAbsentListener, IsTriedAgainWithPausesThatDouble) {
  auto bound = bind_present(waiting_for({"tcp/192.0.2.7:7777"}));
  ASSERT_TRUE(bound.has_value());
  AbsentListeners absent;
  EXPECT_EQ(absent.next(), never);
  absent.set(std::move(bound->absent), at(0));
  int now = 0;
  for (const int pause : {1, 2, 4, 8, 16, 30, 30}) {
    EXPECT_EQ(absent.next(), at(now + pause));
    now += pause;
    EXPECT_TRUE(absent.try_again(at(now)).empty());
  }
  absent.set({}, at(now));
  EXPECT_EQ(absent.next(), never);
}

TEST(AnAbsentListener, IsBoundWhenItsAddressComes) {
  const int outcome = in_own_network([] {
    const auto table = waiting_for({"tcp/192.0.2.7:7", "udp/192.0.2.8:7", "tcp/*%veth9:8"});
    auto bound = bind_present(table);
    if (!bound || bound->absent.size() != 3) return 1;
    AbsentListeners absent;
    absent.set(std::move(bound->absent), at(0));
    if (std::system("ip address add 192.0.2.7/32 dev lo") != 0) return 77;
    const auto first = absent.try_again(at(1));
    if (first.size() != 1 || first[0].address.text != "tcp/192.0.2.7:7" || absent.count() != 2) return 2;
    if (std::system("ip address add 192.0.2.8/32 dev lo && ip link add veth9 type veth peer name veth10") != 0)
      return 77;
    return absent.try_again(at(2)).size() == 2 && absent.next() == never ? 0 : 3;
  });
  if (outcome == 77) GTEST_SKIP() << "no network of its own is to be had";
  EXPECT_EQ(outcome, 0);
}

TEST(AnAbsentListener, ThatIsBoundFreelyHearsClientsWhenItsAddressComes) {
  const int outcome = in_own_network([] {
    auto table = waiting_for({"tcp/192.0.2.7:7"});
    table.services[0].options.when_absent = WhenAbsent::freebind;
    const auto bound = bind_present(table);
    if (!bound || bound->bound.size() != 1) return 1;
    if (std::system("ip address add 192.0.2.7/32 dev lo") != 0) return 77;
    return connected_to(local_endpoint(bound->bound[0].socket).value()).is_open() ? 0 : 2;
  });
  if (outcome == 77) GTEST_SKIP() << "no network of its own is to be had";
  EXPECT_EQ(outcome, 0);
}
