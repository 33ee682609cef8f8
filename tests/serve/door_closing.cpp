#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

class AClosingDoor : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, AClosingDoor, ::testing::ValuesIn(engine_names()), name_of_case);

}  // namespace

TEST_P(AClosingDoor, ClosesWhileNobodyIsThere) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 4, 4);
  Doors doors(waiter());
  doors.open(listener_at("tcp/127.0.0.1:0", hosted));
  doors.open(listener_at("udp/127.0.0.1:0", hosted));
  EXPECT_TRUE(soon([&] { return doors.close(); }));
}

TEST_P(AClosingDoor, LetsInWhoIsInTheBacklog) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 20, 20);
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  std::vector<Socket> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(client_of(*listener));
  Doors doors(waiter());
  auto& door = doors.open(listener);
  door.close();
  ASSERT_TRUE(soon([&] { return door.is_closed(); }));
  EXPECT_EQ(notes.count(), 10U);
  EXPECT_EQ(hosted->level.count(), 10) << "their conversations go on";
}

TEST_P(AClosingDoor, ServesTheDatagramsThatHaveArrived) {
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr, [](Datagram& request, Notes&) -> task<> {
    request.reply(request.bytes());
    co_return;
  }));
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  const auto client = client_of(*listener);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(send_text(client, std::to_string(i)));
  Doors doors(waiter());
  auto& door = doors.open(listener);
  door.close();
  ASSERT_TRUE(soon([&] { return door.is_closed(); }));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(received_text(client), std::to_string(i));
}

TEST_P(AClosingDoor, EndsThoughClientsKeepComing) {
  // Each client of the backlog is answered at once, and another comes: a door that emptied the backlog would never end.
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, [](Connection& client, Notes&) -> task<> {
    constexpr std::string_view answer = "x";
    co_await client.write(answer);
  }));
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  std::jthread coming([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) (void)client_of(*listener);
  });
  ASSERT_TRUE(soon([&] { return hosted->counters.accepted.value() > 20; }));
  EXPECT_TRUE(soon([&] { return doors.close(); }));
}

TEST_P(AClosingDoor, TakesInNobodyBeyondTheLevel) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 2, 2);
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  std::vector<Socket> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(client_of(*listener));
  Doors doors(waiter());
  doors.open(listener);
  ASSERT_TRUE(soon([&] { return hosted->level.count() == 2; }));
  EXPECT_TRUE(soon([&] { return doors.close(); }));
  EXPECT_EQ(notes.count(), 2U);
}

TEST_P(AClosingDoor, MayBeToldAgainAndAgain) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 4, 4);
  Doors doors(waiter());
  auto& door = doors.open(listener_at("tcp/127.0.0.1:0", hosted));
  for (int i = 0; i < 100; ++i) door.close();
  ASSERT_TRUE(soon([&] { return door.is_closed(); }));
  doors.settle();
  EXPECT_TRUE(door.is_closed());
}
