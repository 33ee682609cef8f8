#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AGreedyClient);

namespace {

/// What a handler does for a client that never lets it wait.
detached hear_for_ever(Waiter& waiter, Request& request) {
  for (;;) {
    request.kind = Kind::read;
    const Outcome heard = co_await Wait(waiter, request);
    if (heard != Outcome::done) break;
    ++request.completions;
  }
}

detached write_for_ever(Waiter& waiter, Request& request, std::string_view text) {
  for (;;) {
    request.kind = Kind::write;
    request.bytes = bytes_of(text);
    const Outcome written = co_await Wait(waiter, request);
    if (written != Outcome::done) break;
    ++request.completions;
  }
}

/// A client that sends, or receives, as fast as it can until told to stop.
class Flood {
 public:
  Flood(const Socket& socket, bool sends)
      : thread_([&socket, sends](const std::stop_token& stopped) {
          std::string room(1 << 20, 'x');
          while (!stopped.stop_requested()) {
            pollfd ready{.fd = socket.fd(), .events = static_cast<short>(sends ? POLLOUT : POLLIN), .revents = 0};
            if (::poll(&ready, 1, 10) < 1) continue;
            const auto moved = sends ? ::send(socket.fd(), room.data(), room.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                     : ::recv(socket.fd(), room.data(), room.size(), MSG_DONTWAIT);
            if (moved == 0) return;
          }
        }) {}

 private:
  std::jthread thread_;
};

}  // namespace

TEST_P(AGreedyClient, WhoSendsWithoutEndStarvesNobody) {
  Pair& greedy = keep(tcp_pair());
  Pair& modest = keep(tcp_pair());
  Request& flooded = request_for(greedy.ours);
  Request& request = request_for(modest.ours);
  const Flood flood(greedy.client, true);
  hear_for_ever(engine(), flooded);
  ASSERT_TRUE(turn_until([&] { return flooded.completions > 0; }));
  for (int i = 0; i < 20; ++i) {
    start_read(engine(), request);
    ASSERT_TRUE(send_text(modest.client, "me too"));
    ASSERT_TRUE(turn_until_done(request)) << i;
  }
  Request& sleeper = request_without_socket();
  start(engine(), sleeper, Kind::sleep, Clock::now() + Millis{5});
  ASSERT_TRUE(turn_until_done(sleeper));
}

TEST_P(AGreedyClient, WhoReceivesWithoutEndStarvesNobody) {
  Pair& greedy = keep(tcp_pair());
  Pair& modest = keep(tcp_pair());
  Request& flooded = request_for(greedy.ours);
  Request& request = request_for(modest.ours);
  const Flood flood(greedy.client, false);
  const std::string text(3'000, 'x');
  write_for_ever(engine(), flooded, text);
  for (int i = 0; i < 20; ++i) {
    start_read(engine(), request);
    ASSERT_TRUE(send_text(modest.client, "me too"));
    ASSERT_TRUE(turn_until_done(request)) << i;
  }
  EXPECT_GT(flooded.completions, Engine::inline_turns);
}

// Requests that are complete at once, as many as one likes: a turn ends all the same.
TEST_P(AGreedyClient, GetsABoundedShareOfATurn) {
  Pair& greedy = keep(unix_pair());
  Request& request = request_for(greedy.ours);
  const std::string crumb(1, 'x');
  write_for_ever(engine(), request, crumb);
  const auto first = request.completions;
  EXPECT_LE(first, Engine::inline_turns);
  engine().turn({});
  EXPECT_LE(request.completions - first, 2 * Engine::inline_turns);
}
