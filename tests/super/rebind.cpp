#include "superd/super/rebind.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "superd/net/socket_options.h"
#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// The sockets of a table, as whoever bound them has them.
class Keeping {
 public:
  explicit Keeping(ServiceTable table) : now(std::move(table)) {
    auto bound = bind_all(now);
    if (!bound) throw std::runtime_error(bound.error().front());
    sockets = std::move(*bound);
  }

  std::vector<HeldSocket> held() const {
    std::vector<HeldSocket> result;
    for (const auto& bound : sockets) result.push_back({bound.service, bound.address, bound.socket.fd()});
    return result;
  }
  auto rebound(const ServiceTable& wanted) const { return rebind(now, wanted, held()); }

  ServiceTable now;
  std::vector<BoundListener> sockets;
};

std::uint16_t free_port(std::string_view where = "tcp/*:0") { return local_endpoint(listen_at(where)).value().port(); }

std::string tcp(std::string_view host, std::uint16_t port) {
  return "tcp/" + std::string(host) + ":" + std::to_string(port);
}

bool is_served_at(const Socket& listening, const Endpoint& where) {
  const auto client = connected_to(where);
  const Socket accepted(::accept4(listening.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  return accepted.is_open();
}

}  // namespace

TEST(Rebinding, BindsWhatIsNewAlone) {
  const Keeping keeping({.services = {service("one", "echo", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"})}});
  auto wanted = keeping.now;
  EXPECT_TRUE(keeping.rebound(wanted)->bound.empty());
  wanted.services[0].listen.push_back(address("tcp/[::1]:0"));
  wanted.services.push_back(service("two", "echo", {"tcp/127.0.0.1:0"}));
  const auto fresh = keeping.rebound(wanted);
  ASSERT_TRUE(fresh.has_value());
  ASSERT_EQ(fresh->bound.size(), 2U);
  EXPECT_EQ(fresh->bound[0].address.text, "tcp/[::1]:0");
  EXPECT_EQ(fresh->bound[1].service, "two");
}

TEST(Rebinding, ThatFailsTellsAllThatIsWrongAndChangesNothing) {
  const auto taken = listen_at("tcp/127.0.0.1:0");
  const auto port = local_endpoint(taken).value().port();
  const Keeping keeping({.services = {service("one", "echo", {"tcp/127.0.0.1:0"})}});
  const ServiceTable wanted{
      .services = {service("two", "echo", {tcp("127.0.0.1", port), "tcp/127.0.0.1:0"}),
                   service("three", "echo", {"tcp/192.0.2.7:77"})}
  };
  const auto fresh = keeping.rebound(wanted);
  ASSERT_FALSE(fresh.has_value());
  ASSERT_EQ(fresh.error().size(), 2U);
  EXPECT_TRUE(fresh.error()[0].starts_with("service two: bind " + tcp("127.0.0.1", port).replace(3, 1, " ") +
                                           ": address already in use; another program listens there"))
      << fresh.error()[0];
  EXPECT_TRUE(fresh.error()[1].starts_with("service three: ")) << fresh.error()[1];
}

TEST(Rebinding, KnowsAPlaceHoweverItIsWritten) {
  const auto port = free_port();
  const Keeping keeping({.services = {service("one", "echo", {tcp("*", port)})}});
  EXPECT_TRUE(keeping.rebound({.services = {service("one", "echo", {"tcp/" + std::to_string(port)})}})->bound.empty());
}

TEST(Rebinding, HandsAPlaceThatGoesOverToAnotherServiceAsTheSameSocket) {
  const auto place = tcp("127.0.0.1", free_port());
  const Keeping keeping({.services = {service("from", "echo", {place})}});
  const auto fresh = keeping.rebound({.services = {service("to", "echo", {place})}});
  ASSERT_TRUE(fresh.has_value()) << fresh.error().front();
  ASSERT_EQ(fresh->bound.size(), 1U);
  EXPECT_EQ(fresh->bound[0].service, "to");
  EXPECT_EQ(identity_of(fresh->bound[0].socket), identity_of(keeping.sockets[0].socket));
}

TEST(Rebinding, LetsAnAddressTakeThePlaceOfTheWildcardAndBack) {
  const auto port = free_port();
  for (const auto& [before, after] : {std::pair("*", "127.0.0.1"), std::pair("127.0.0.1", "*"),
                                      std::pair("0.0.0.0", "*"), std::pair("*", "0.0.0.0")}) {
    for (const std::string transport : {"tcp/", "udp/"}) {
      const auto rest = ":" + std::to_string(port);
      Keeping keeping({.services = {service("one", "echo", {transport + before + rest})}});
      auto fresh = keeping.rebound({.services = {service("one", "echo", {transport + after + rest})}});
      ASSERT_TRUE(fresh.has_value()) << transport << before << after << fresh.error().front();
      ASSERT_EQ(fresh->bound.size(), 1U);
      keeping.sockets.clear();
      const auto where = Endpoint::parse("127.0.0.1" + rest);
      if (transport == "tcp/") {
        EXPECT_TRUE(is_served_at(fresh->bound[0].socket, *where)) << before << after;
      }
      EXPECT_FALSE(passive(address(transport + "127.0.0.1" + rest), {}).has_value()) << "and nobody else's";
    }
  }
}

TEST(Rebinding, BindsAllAnewWithAnotherPortBase) {
  Keeping keeping({.services = {service("one", "echo", {tcp("127.0.0.1", 7), "tcp/127.0.0.1:0"})},
                   .port_base = static_cast<std::uint16_t>(free_port() - 7)});
  auto wanted = keeping.now;
  wanted.port_base = static_cast<std::uint16_t>(free_port() - 7);
  const auto fresh = keeping.rebound(wanted);
  ASSERT_TRUE(fresh.has_value()) << fresh.error().front();
  ASSERT_EQ(fresh->bound.size(), 1U) << "any port is none";
  EXPECT_EQ(local_endpoint(fresh->bound[0].socket)->port(), wanted.port_base + 7);
}

TEST(Rebinding, NamesAnAbsentAddressThatMayCome) {
  auto settings = service("one", "echo", {"tcp/192.0.2.7:7", "tcp/127.0.0.1:0", "tcp/*%absent0:7"});
  settings.options.when_absent = WhenAbsent::retry;
  const auto bound = bind_present({.services = {settings}, .port_base = 10'000});
  ASSERT_TRUE(bound.has_value()) << bound.error().front();
  ASSERT_EQ(bound->bound.size(), 1U);
  ASSERT_EQ(bound->absent.size(), 2U);
  EXPECT_EQ(bound->absent[0].address.text, "tcp/192.0.2.7:7");
  EXPECT_EQ(bound->absent[0].options.port_base, 10'000);
}

TEST(Rebinding, BindsAnAbsentAddressFreely) {
  auto settings = service("one", "echo", {"tcp/192.0.2.7:7", "udp/192.0.2.7:7", "tcp/[2001:db8::7]:7"});
  settings.options.when_absent = WhenAbsent::freebind;
  const auto bound = bind_present({.services = {settings}, .port_base = 10'000});
  ASSERT_TRUE(bound.has_value()) << bound.error().front();
  EXPECT_EQ(bound->bound.size(), 3U);
}

TEST(OptionsOfASocketThatStays, AreChangedInPlace) {
  const auto path = "/tmp/superd-test-" + std::to_string(::getpid());
  Keeping keeping({.services = {service("one", "echo", {"tcp/127.0.0.1:0", "udp/127.0.0.1:0", "unix:" + path})}});
  auto wanted = keeping.now;
  auto& options = wanted.services[0].options;
  options.backlog = 1;
  options.keepalive = Seconds{7};
  options.receive_buffer = 65'536;
  options.mode = 0600;
  EXPECT_EQ(change_options_of_held(keeping.now, wanted, keeping.held()), std::vector<std::string>{});
  int value = 0;
  socklen_t size = sizeof value;
  const auto& tcp = keeping.sockets[0].socket;
  ASSERT_EQ(::getsockopt(tcp.fd(), SOL_SOCKET, SO_RCVBUF, &value, &size), 0);
  EXPECT_EQ(value, 2 * 65'536);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ::unlink(path.c_str());
  const auto told = change_options_of_held(keeping.now, wanted, keeping.held());
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].starts_with("service one: look at unix:" + path)) << told[0];
}
