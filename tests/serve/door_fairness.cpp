#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

class TwoDoors : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Of, TwoDoors, ::testing::ValuesIn(engine_names()), name_of_case);

/// Notes at which of the two it was, by the port.
task<> notes_where(Connection& client, Notes& notes) {
  notes.add(client.local().text());
  co_return;
}

}  // namespace

TEST_P(TwoDoors, TakeTurnsAfterABurst) {
  constexpr int burst = 2;
  Notes notes;
  const auto hosted = hosted_at_level(notes, 100, 100, notes_where);
  const auto one = listener_at("tcp/127.0.0.1:0", hosted), other = listener_at("tcp/127.0.0.1:0", hosted);
  std::vector<Socket> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(client_of(*one));
    clients.push_back(client_of(*other));
  }
  Doors doors(waiter());
  // Both open in one turn, so that neither has a start.
  doors.in_loop([&] {
    doors.open(one, {.burst = burst});
    doors.open(other, {.burst = burst});
  });
  ASSERT_TRUE(soon([&] { return notes.count() == 24; }));
  int in_a_row = 0, longest = 0;
  std::string last;
  for (const auto& where : notes.all()) {
    in_a_row = where == last ? in_a_row + 1 : 1;
    longest = std::max(longest, in_a_row);
    last = where;
  }
  EXPECT_LE(longest, 2 * burst) << "one of them was served while the other waited";
}

TEST_P(TwoDoors, AreBothServedWhileOneIsFlooded) {
  Notes notes;
  const auto hosted =
      hosted_with(std::make_shared<Scripted>(notes, notes_where, [](Datagram& request, Notes&) -> task<> {
        request.reply("pong");
        co_return;
      }));
  const auto flooded = listener_at("udp/127.0.0.1:0", hosted), quiet = listener_at("tcp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(flooded);
  doors.open(quiet);
  std::jthread flooding([&](const std::stop_token& stop) {
    const auto client = client_of(*flooded);
    while (!stop.stop_requested()) (void)::send(client.fd(), "ping", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
  });
  for (std::size_t i = 0; i < 20; ++i) {
    const auto client = client_of(*quiet);
    ASSERT_TRUE(soon([&] { return notes.count() == i + 1; }));
  }
}
