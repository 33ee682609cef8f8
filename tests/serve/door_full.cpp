#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

class AFullDoor : public EveryWaiter {};
INSTANTIATE_TEST_SUITE_P(Under, AFullDoor, ::testing::ValuesIn(engine_names()), name_of_case);

}  // namespace

TEST_P(AFullDoor, LeavesClientsInTheBacklogUntilASeatIsFree) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 2, 2);
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  std::vector<Socket> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(client_of(*listener));
  ASSERT_TRUE(soon([&] { return notes.count() == 2; }));
  doors.settle();
  EXPECT_EQ(notes.count(), 2U);
  EXPECT_EQ(hosted->counters.accepted.value(), 2U) << "the others are in the backlog, not in our descriptors";
  EXPECT_GE(hosted->counters.full.value(), 1U);
  for (std::size_t gone = 0; gone < clients.size(); ++gone) {
    clients[gone].reset();
    ASSERT_TRUE(soon([&] { return notes.count() == std::min<std::size_t>(5, gone + 3); })) << gone;
  }
  ASSERT_TRUE(soon([&] { return hosted->level.count() == 0; }));
  EXPECT_EQ(hosted->level.peak(), 2);
  EXPECT_EQ(hosted->counters.refused_level.value(), 0U);
}

TEST_P(AFullDoor, RefusesWithAResetWhenItIsToldTo) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 1, 1, stays, WhenFull::refuse);
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  auto seated = client_of(*listener);
  ASSERT_TRUE(soon([&] { return notes.count() == 1; }));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_reset_by_peer(client_of(*listener))) << i;
  EXPECT_EQ(hosted->counters.refused_level.value(), 3U);
  seated.reset();
  ASSERT_TRUE(soon([&] { return hosted->level.count() == 0; }));
  const auto next = client_of(*listener);
  ASSERT_TRUE(soon([&] { return notes.count() == 2; })) << "and goes on afterwards";
}

TEST_P(AFullDoor, ResetsAClientThatHasItsShareAndServesOthers) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 10, 1);
  const auto listener = listener_at("tcp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto seated = client_of(*listener);
  ASSERT_TRUE(soon([&] { return notes.count() == 1; }));
  EXPECT_TRUE(is_reset_by_peer(client_of(*listener)));
  EXPECT_TRUE(is_reset_by_peer(client_of(*listener)));
  EXPECT_EQ(hosted->counters.refused_client.value(), 2U);
  EXPECT_EQ(hosted->level.count(), 1);

  // Somebody else on this machine.
  Socket other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto elsewhere = endpoint("127.0.0.2:0");
  ASSERT_EQ(::bind(other.fd(), elsewhere.address(), elsewhere.size()), 0);
  ASSERT_EQ(::connect(other.fd(), listener->local.address(), listener->local.size()), 0);
  ASSERT_TRUE(soon([&] { return notes.count() == 2; }));
}

TEST_P(AFullDoor, CountsTheUsersOfAUnixSocketEachAsOneClient) {
  Notes notes;
  const Folder folder;
  const auto hosted = hosted_at_level(notes, 10, 1);
  const auto listener = listener_at(folder.address(), hosted);
  Doors doors(waiter());
  doors.open(listener);
  const auto seated = client_of(*listener);
  ASSERT_TRUE(soon([&] { return notes.count() == 1; }));
  EXPECT_TRUE(is_closed_by_peer(client_of(*listener)));
  EXPECT_EQ(hosted->counters.refused_client.value(), 1U);
}

TEST_P(AFullDoor, PassesAVacancyOnWhenItHasNobodyForIt) {
  // Both doors wait for a place. The first is told, and nobody is there; the second has a client.
  Notes notes;
  const auto hosted = hosted_at_level(notes, 1, 1);
  const auto quiet = listener_at("tcp/127.0.0.1:0", hosted), busy = listener_at("tcp/127.0.0.1:0", hosted);
  Doors doors(waiter());
  doors.open(quiet);
  auto seated = client_of(*quiet);
  ASSERT_TRUE(soon([&] { return hosted->counters.full.value() == 1; }));
  const auto waiting = client_of(*busy);
  doors.open(busy);
  ASSERT_TRUE(soon([&] { return hosted->counters.full.value() == 2; }));
  seated.reset();
  EXPECT_TRUE(soon([&] { return notes.count() == 2; }));
}

TEST_P(AFullDoor, PassesAVacancyOnBetweenLoops) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 1, 1);
  const auto quiet = listener_at("tcp/127.0.0.1:0", hosted), busy = listener_at("tcp/127.0.0.1:0", hosted);
  Doors one(waiter()), other(waiter());
  one.open(quiet);
  auto seated = client_of(*quiet);
  ASSERT_TRUE(soon([&] { return hosted->counters.full.value() == 1; }));
  const auto waiting = client_of(*busy);
  other.open(busy);
  ASSERT_TRUE(soon([&] { return hosted->counters.full.value() == 2; }));
  seated.reset();
  EXPECT_TRUE(soon([&] { return notes.count() == 2; }));
}
