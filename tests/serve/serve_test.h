#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <functional>
#include <new>
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

/// What handlers and the test tell each other, from whichever thread, and from processes that were forked meanwhile.
class Notes {
 public:
  Notes() = default;
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;
  ~Notes() { ::munmap(&shared_, sizeof shared_); }

  void add(const std::string& note) {
    auto& place = shared_.notes.at(shared_.begun++);
    place.size = note.copy(place.text.data(), place.text.size());
    place.is_there = true;
  }
  /// In the order in which they were begun; without those that are still being written, and what comes after.
  std::vector<std::string> all() const {
    std::vector<std::string> result;
    for (const auto& place : shared_.notes) {
      if (!place.is_there) break;
      result.emplace_back(place.text.data(), place.size);
    }
    return result;
  }
  std::size_t count() const { return all().size(); }

 private:
  struct Note {
    std::atomic<bool> is_there;
    std::size_t size;
    std::array<char, 112> text;
  };
  struct Shared {
    std::atomic<int> present, finished;
    std::atomic<bool> may_go;
    std::atomic<std::size_t> begun;
    std::array<Note, 4096> notes;
  };
  // Zeroed, which is what it begins with.
  static Shared& share() {
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    return *static_cast<Shared*>(memory);
  }
  Shared& shared_ = share();

 public:
  std::atomic<int>& present = shared_.present;  ///< for handlers that wait for each other
  std::atomic<bool>& may_go = shared_.may_go;   ///< for handlers that wait for the test
  std::atomic<int>& finished = shared_.finished;
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
