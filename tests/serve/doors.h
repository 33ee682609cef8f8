#pragma once

#include <algorithm>

#include "superd/serve/door.h"
#include "tests/serve/stage.h"

namespace superd::test {

/// A listener as a loop has it: nobody blocks in accept(2).
inline std::shared_ptr<Listener> listener_at(std::string_view text, std::shared_ptr<HostedService> hosted) {
  const auto parsed = address(text);
  auto socket = listen_at(text);
  ::fcntl(socket.fd(), F_SETFL, ::fcntl(socket.fd(), F_GETFL) | O_NONBLOCK);
  const auto local = local_endpoint(socket).value();
  return std::make_shared<Listener>(std::move(socket), parsed.transport, local, std::move(hosted));
}

/// A connection, or a socket for datagrams, to it; not yet connected on demand.
inline Socket client_of(const Listener& listener, bool connects = true) {
  const int type = is_stream(listener.transport) ? SOCK_STREAM : SOCK_DGRAM;
  return connects ? connected_to(listener.local, type)
                  : Socket(::socket(listener.local.family(), type | SOCK_CLOEXEC, 0));
}

/// One loop with doors, in a thread of its own.
class Doors {
 public:
  explicit Doors(const std::string& engine) : loop_(engine), here_(loop_.waiter()) {
    thread_ = std::jthread([this] {
      while (!ending_) loop_.engine()->turn(never);
    });
  }
  ~Doors() {
    if (!soon([this] { return close(); })) ADD_FAILURE() << "a door does not close";
    // Again and again, as a drain does it.
    const bool empty = soon([this] {
      cut();
      return std::ranges::all_of(listeners_, [](const auto& listener) { return listener->hosted->level.count() == 0; });
    });
    if (!empty) ADD_FAILURE() << "a conversation does not end";
    loop_.engine()->post([this] { ending_ = true; });
  }

  Door& open(const std::shared_ptr<Listener>& listener, Door::Manner manner = {}) {
    listeners_.push_back(listener);
    auto& door = *doors_.emplace_back(std::make_unique<Door>(listener, loop_.waiter(), here_, manner));
    loop_.engine()->post([&door] { door.open(); });
    return door;
  }

  /// True when all have closed.
  bool close() {
    for (const auto& door : doors_)
      if (!door->is_closed()) door->close();
    return std::ranges::all_of(doors_, &Door::is_closed);
  }

  void cut() {
    for (const auto& listener : listeners_) listener->hosted->level.cut_all();
    loop_.cut();
  }

  /// Waits until the loop has done all that it can do at once.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      std::atomic<bool> done{false};
      loop_.engine()->post([&] { done = true; });
      soon([&] { return done.load(); });
    }
  }

  /// Runs something in the loop's thread, and waits for it.
  void in_loop(std::function<void()> work) {
    std::atomic<bool> done{false};
    loop_.engine()->post([&] {
      work();
      done = true;
    });
    soon([&] { return done.load(); });
  }

 private:
  AnyWaiter loop_;
  PlaceHere here_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Door>> doors_;
  bool ending_ = false;  // the loop's thread alone
  std::jthread thread_;
};

/// A handler that stays until the client has finished.
inline task<> stays(Connection& client, Notes& notes) {
  notes.add("came");
  while (const auto chunk = co_await client.read()) static_cast<void>(chunk);
}

/// A service with this handler, its level and per_client.
inline std::shared_ptr<HostedService> hosted_at_level(Notes& notes, int level, int per_client,
                                                      StreamScript script = stays,
                                                      WhenFull when_full = WhenFull::wait) {
  Limits limits;
  limits.level = level;
  limits.per_client = per_client;
  limits.when_full = when_full;
  return hosted_with(std::make_shared<Scripted>(notes, script), limits);
}

}  // namespace superd::test
