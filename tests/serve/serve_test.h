#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "superd/serve/connection.h"
#include "superd/serve/datagram.h"
#include "superd/serve/hosted_service.h"
#include "tests/net/net_test.h"

namespace superd::test {

/// Asks until the claim holds; false when it did not in a time that is long for any machine.
template <class Claim>
bool soon(Claim claim) {
  for (const Time until = Clock::now() + Millis(patience_ms); !claim();) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(Millis{1});
  }
  return true;
}

/// What handlers and the test tell each other, from whichever thread.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  std::size_t count() const { return all().size(); }

  std::atomic<int> present{0};      ///< for handlers that wait for each other
  std::atomic<bool> may_go{false};  ///< for handlers that wait for the test
  std::atomic<int> finished{0};

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

using StreamScript = task<> (*)(Connection&, Notes&);
using DatagramScript = task<> (*)(Datagram&, Notes&);

/// A service whose handlers a test writes where it needs them: lambdas that capture nothing.
class Scripted final : public Service {
 public:
  Scripted(Notes& notes, StreamScript stream, DatagramScript datagram = nullptr)
      : notes_(notes), stream_(stream), datagram_(datagram) {}

  task<> serve(Connection& client) override { return stream_(client, notes_); }
  task<> serve(Datagram& request) override { return datagram_(request, notes_); }

 private:
  Notes& notes_;
  StreamScript stream_;
  DatagramScript datagram_;
};

/// Sleeps in small steps, so that an engine serves others, until the claim holds or patience ends; false then, and when
/// the conversation was cut. The claim is a function, for a handler's lambdas capture nothing.
template <class Client>
task<bool> waits_until(Client& client, Notes& notes, bool (*claim)(const Notes&)) {
  constexpr Millis step{1};
  for (int left = patience_ms; !claim(notes); --left) {
    if (left == 0) co_return false;
    if (!co_await client.sleep(step)) co_return false;
  }
  co_return true;
}

inline bool may_go(const Notes& notes) { return notes.may_go; }

inline std::shared_ptr<HostedService> hosted_with(std::shared_ptr<Service> service, const Limits& limits = {}) {
  return std::make_shared<HostedService>("test", std::move(service), limits, std::make_shared<OwnPorts>());
}

/// Two ends of one connection.
struct Pair {
  Socket client, server;
};

inline Pair tcp_pair() {
  const auto listener = listen_at("tcp/127.0.0.1:0");
  auto client = connected_to(door_of(listener, "127.0.0.1"));
  auto server = accepted_from(listener);
  return {std::move(client), std::move(server)};
}

inline Endpoint from(std::string_view text) { return endpoint(text); }
inline ClientKey client(int number) { return ClientKey::of_user(static_cast<std::uint32_t>(number)); }

/// Reads until the other side has ended, or nothing comes for too long.
inline std::string everything_from(const Socket& socket) {
  std::string all;
  for (;;) {
    const auto part = received_text(socket);
    if (!part || part->empty()) return all;
    all += *part;
  }
}

/// True when the other side has closed: an end, or a reset.
inline bool is_closed_by_peer(const Socket& socket) {
  if (!is_readable(socket)) return false;
  char byte;
  return ::recv(socket.fd(), &byte, 1, MSG_DONTWAIT) <= 0;
}

inline bool is_reset_by_peer(const Socket& socket) {
  if (!is_readable(socket)) return false;
  char byte;
  return ::recv(socket.fd(), &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNRESET;
}

}  // namespace superd::test
