#include "superd/lab/discover.h"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "superd/base/words.h"
#include "superd/lab/json_text.h"
#include "superd/lab/remote.h"
#include "superd/net/multicast.h"

namespace superd {

namespace {

constexpr int done = 0, misuse = 100, try_again = 111;
// Within the time that answers are waited for: a datagram may be lost.
constexpr int queries = 3;
// Of who answers: more than a link has.
constexpr std::size_t most_beacons = 10'000;

struct Found {
  Endpoint from;
  BeaconText text;
};

struct FreeNames {
  void operator()(struct if_nameindex* all) const noexcept { ::if_freenameindex(all); }
};

/// Where a query goes to. One of the two.
struct Target {
  std::optional<Membership> group;
  std::optional<Endpoint> host;
};

/// The group by each interface there is, for a machine has one route for it alone.
std::vector<Target> by_all_interfaces(const Membership& group) {
  std::vector<Target> targets;
  const std::unique_ptr<struct if_nameindex, FreeNames> all(::if_nameindex());
  for (const auto* one = all.get(); one && one->if_index != 0; ++one) {
    targets.push_back({.group = group, .host = {}});
    targets.back().group->interface = one->if_name;
  }
  return targets;
}

Result<std::vector<Target>> targets_of(const DiscoverRequest& request) {
  std::vector<Target> targets;
  for (const auto& host : request.hosts) {
    const auto addresses = look_up(host, request.port);
    if (!addresses) return std::unexpected(addresses.error());
    targets.push_back({.group = {}, .host = addresses->front()});
  }
  if (!targets.empty()) return targets;
  const auto group = Membership::parse(request.group);
  if (!group) return std::unexpected(group.error());
  if (group->source) return error('"' + escaped(request.group, 80) + "\" has a source: a query has none");
  if (group->interface.empty()) return by_all_interfaces(*group);
  return std::vector<Target>{
      {.group = *group, .host = {}}
  };
}

/// One socket for each version of IP; whoever has none of one does without it.
class Searcher {
 public:
  explicit Searcher(std::uint16_t port) : port_(port) {}

  /// How many of the queries have left.
  std::size_t ask(const std::vector<Target>& targets) {
    const auto query = beacon_query();
    std::size_t sent = 0;
    for (const auto& target : targets) {
      const bool v6 = target.host ? target.host->is_v6() : target.group->group.is_v6();
      const int fd = socket_for(v6);
      if (fd < 0) continue;
      sent += target.host
                  ? ::sendto(fd, query.data(), query.size(), MSG_DONTWAIT | MSG_NOSIGNAL, target.host->address(),
                             target.host->size()) >= 0
                  : send_to_group(fd, v6 ? Endpoint::any_v6(port_) : Endpoint::any_v4(port_), *target.group, query);
    }
    return sent;
  }

  /// Those that come until then, each to `hear`; ends when the user interrupts.
  template <class Hear>
  void listen(Time until, Hear hear) {
    while (Clock::now() < until && !was_interrupted()) {
      std::array<pollfd, 2> watched{
          pollfd{v4_.fd(), POLLIN, 0},
          pollfd{v6_.fd(), POLLIN, 0}
      };
      wait_for(watched, until);
      for (const auto& one : watched)
        if (one.fd >= 0) receive(one.fd, hear);
    }
  }

 private:
  int socket_for(bool v6) {
    auto& socket = v6 ? v6_ : v4_;
    if (!socket.is_open())
      socket.reset(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return socket.fd();
  }

  template <class Hear>
  static void receive(int fd, Hear& hear) {
    std::array<char, 2048> room;
    for (;;) {
      Endpoint from;
      socklen_t size = Endpoint::capacity;
      const auto got = ::recvfrom(fd, room.data(), room.size(), 0, from.address(), &size);
      if (got < 0) return;
      from.set_size(size);
      if (auto text = BeaconText::parse({room.data(), static_cast<std::size_t>(got)})) hear(from, std::move(*text));
    }
  }

  std::uint16_t port_;
  Socket v4_, v6_;
};

void print_line(const Found& found) {
  const auto address = found.from.address_text();
  for (const auto& service : found.text.services)
    fmt::print("{}\t{}\t{}\t{}\n", address, found.text.host, service.name, fmt::join(service.addresses, " "));
  if (found.text.services.empty()) fmt::print("{}\t{}\tserves nothing that it tells of\n", address, found.text.host);
  if (found.text.left_out > 0) fmt::print("{}\t{}\tand {} more\n", address, found.text.host, found.text.left_out);
  std::fflush(stdout);
}

std::string json_of(const Found& found) {
  std::vector<std::string> services;
  for (const auto& service : found.text.services) {
    std::vector<std::string> addresses;
    for (const auto& address : service.addresses) addresses.push_back(json_quoted(address));
    services.push_back(
        fmt::format(R"({{"name": {}, "listeners": [{}]}})", json_quoted(service.name), fmt::join(addresses, ", ")));
  }
  return fmt::format(R"(  {{"address": {}, "port": {}, "host": {}, "every_s": {}, "left_out": {}, "services": [{}]}})",
                     json_quoted(found.from.address_text()), found.from.port(), json_quoted(found.text.host),
                     found.text.every.count(), found.text.left_out, fmt::join(services, ", "));
}

void print_json(const std::vector<Found>& all) {
  std::vector<std::string> lines;
  for (const auto& one : all) lines.push_back(json_of(one));
  fmt::print("[\n{}\n]\n", fmt::join(lines, ",\n"));
}

int complain(const std::string& what, int code) {
  fmt::print(stderr, "superctl: {}\n", what);
  return code;
}

}  // namespace

int discover(const DiscoverRequest& request) {
  const auto targets = targets_of(request);
  if (!targets) return complain(targets.error().what, misuse);
  end_waits_by_signals();
  Searcher searcher(request.port);
  std::vector<Found> all;
  const auto hear = [&](const Endpoint& from, BeaconText text) {
    const bool is_known = std::ranges::find(all, from, &Found::from) != all.end();
    if (is_known || all.size() == most_beacons) return;
    all.push_back({from, std::move(text)});
    if (!request.is_json) print_line(all.back());
  };
  const Time begun = Clock::now();
  for (int i = 0; i < queries && !was_interrupted(); ++i) {
    if (searcher.ask(*targets) == 0 && i == 0)
      return complain("no query can be sent: no interface leads there (ip link, ip route)", try_again);
    searcher.listen(begun + request.wait * (i + 1) / queries, hear);
  }
  if (request.is_json) print_json(all);
  if (!all.empty()) return done;
  return request.is_json ? try_again : complain("nobody has answered", try_again);
}

}  // namespace superd
