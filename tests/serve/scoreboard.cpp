#include "superd/serve/scoreboard.h"

#include "superd/serve/batch_path.h"
#include "superd/serve/program_row.h"
#include "superd/serve/worker.h"
#include "tests/base/forked_process.h"
#include "tests/serve/doors.h"
#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

using State = WorkerRows::State;

class AScoreboard : public ::testing::Test {
 protected:
  std::vector<WorkerRows::View> rows() const { return hosted_->board.workers().snapshot(); }
  std::uint64_t rows_full() const { return hosted_->counters.rows_full.value(); }

  Notes notes_;
  std::shared_ptr<HostedService> hosted_ = hosted_with(std::make_shared<Scripted>(notes_, nullptr));
};

constexpr Time at(int micros) { return Time(std::chrono::microseconds(micros)); }

}  // namespace

TEST_F(AScoreboard, HasARowForEachWorkerWhileItLives) {
  EXPECT_TRUE(rows().empty());
  {
    const Worker one(*hosted_), other(*hosted_);
    EXPECT_EQ(rows().size(), 2U);
    EXPECT_EQ(rows()[0].process, ::getpid());
    EXPECT_EQ(rows()[0].state, State::idle);
  }
  EXPECT_TRUE(rows().empty());
}

TEST_F(AScoreboard, TellsWhatAWorkerDoesForWhomAndSinceWhen) {
  Worker worker(*hosted_);
  worker.open_door();
  EXPECT_EQ(rows()[0].state, State::waiting);
  EXPECT_EQ(rows()[0].thread, ::gettid());
  worker.begin(client(7), at(1));
  EXPECT_EQ(rows()[0].state, State::serving);
  EXPECT_EQ(rows()[0].client, client(7));
  EXPECT_EQ(rows()[0].since, at(1));
  worker.begin(client(8), at(2));
  EXPECT_EQ(rows()[0].under_way, 2U);
  EXPECT_EQ(rows()[0].client, client(8));
  worker.end(at(3));
  EXPECT_EQ(rows()[0].state, State::serving);
  worker.end(at(4));
  EXPECT_EQ(rows()[0].state, State::waiting);
  EXPECT_EQ(rows()[0].since, at(4));
  EXPECT_EQ(rows()[0].served, 2U);
  worker.leave_door();
  EXPECT_EQ(rows()[0].state, State::idle);
}

TEST_F(AScoreboard, HasARowForAProgramThatRuns) {
  std::vector<ProgramRow> programs;
  programs.emplace_back(*hosted_, 4711, client(7), at(1));
  programs.emplace_back(*hosted_, 4712, ClientKey{}, at(2));
  const auto both = rows();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].process, ::getpid()) << "who dies with the row";
  EXPECT_EQ(both[0].program, 4711);
  EXPECT_EQ(both[0].client, client(7));
  EXPECT_EQ(both[0].since, at(1));
  EXPECT_EQ(both[0].state, State::serving);
  programs.erase(programs.begin());
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].program, 4712);
  programs.clear();
  const Worker worker(*hosted_);
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].program, 0) << "of who had the row before";
}

TEST_F(AScoreboard, CountsProgramsThatFindNoRow) {
  std::vector<ProgramRow> programs;
  for (int i = 0; i < 520; ++i) programs.emplace_back(*hosted_, 1000 + i, client(i), at(1));
  EXPECT_EQ(rows().size(), WorkerRows::size);
  EXPECT_EQ(rows_full(), 520 - WorkerRows::size);
}

TEST_F(AScoreboard, ShowsAClientOnlyWithItsOwnTime) {
  // Both words of the address and the time say the same number: a reader must never see two.
  Worker worker(*hosted_);
  std::atomic<bool> done{false};
  std::atomic<int> mixed{0}, seen{0};
  std::jthread reader([&] {
    while (!done)
      for (const auto& row : rows()) {
        const auto number = static_cast<std::uint64_t>(row.since.time_since_epoch().count());
        if (number == 0) continue;
        ++seen;
        if (row.client.high != row.client.low || row.client.low != number) ++mixed;
      }
  });
  for (std::uint64_t i = 1; i < 200'000 || (seen < 100 && i < 50'000'000); ++i)
    worker.begin({i, i}, Time(Clock::duration(i)));
  done = true;
  reader.join();
  // Who was passed by eight times in a row takes what it has: rarely, and only under such a writer.
  EXPECT_LE(mixed, seen / 10);
}

TEST_F(AScoreboard, CountsWorkersThatFindNoRow) {
  constexpr int threads = 8, each = 100;
  std::atomic<int> ready{0};
  std::atomic<bool> may_go{false};
  {
    std::vector<std::jthread> claiming;
    for (int t = 0; t < threads; ++t)
      claiming.emplace_back([&] {
        std::vector<std::unique_ptr<Worker>> workers;
        for (int i = 0; i < each; ++i) {
          workers.push_back(std::make_unique<Worker>(*hosted_));
          workers.back()->begin(client(i), at(1));
        }
        ++ready;
        while (!may_go) std::this_thread::yield();
        for (const auto& worker : workers) worker->end(at(2));
      });
    ASSERT_TRUE(soon([&] { return ready == threads; }));
    EXPECT_EQ(rows().size(), WorkerRows::size);
    EXPECT_EQ(rows_full(), threads * each - WorkerRows::size);
    may_go = true;
  }
  EXPECT_TRUE(rows().empty());
  const Worker again(*hosted_);
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(AScoreboard, GivesNoRowToTwo) {
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 2'000; ++i) {
          Worker worker(*hosted_);
          worker.begin(client(t), at(1));
          // Whose rows are mine: exactly one.
          if (i % 100 == 0) {
            const auto all = rows();
            const auto mine = std::ranges::count_if(
                all, [&](const auto& row) { return row.thread == ::gettid() && row.under_way == 1; });
            if (mine != 1) ++wrong;
          }
          worker.end(at(2));
        }
      });
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(rows_full(), 0U);
}

TEST_F(AScoreboard, AddsUpUnderManyThreads) {
  constexpr int threads = 8, each = 500;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes_, nullptr, [](Datagram& request, Notes&) -> task<> {
    request.reply("!");
    co_return;
  }));
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  std::atomic<int> finished{0};
  {
    std::vector<std::jthread> serving;
    std::atomic<bool> may_go{false};
    for (int t = 0; t < threads; ++t)
      serving.emplace_back([&] {
        Blocking blocking;
        PlaceHere here(blocking);
        BatchPath path(*listener);
        std::unique_ptr<DatagramSlot> slot(new DatagramSlot);
        slot->from = from("127.0.0.1:9");
        slot->size = 1;
        for (int i = 0; i < each;) {
          auto seat = hosted->level.take(client(i % 3), -1);
          if (seat && here.place(listener, slot, path, *seat)) ++i;
        }
        ++finished;
        while (!may_go) std::this_thread::yield();
      });
    // While they go on it may lag behind, but never tell of more ends than beginnings.
    while (finished < threads)
      for (const auto& row : hosted->board.workers().snapshot()) EXPECT_LE(row.under_way, 1U);
    std::uint64_t served = 0;
    for (const auto& row : hosted->board.workers().snapshot()) {
      served += row.served;
      EXPECT_EQ(row.under_way, 0U);
    }
    EXPECT_EQ(served, threads * each);
    may_go = true;
  }
  EXPECT_EQ(hosted->counters.served.value(), threads * each);
  EXPECT_EQ(hosted->board.served_in().snapshot().count(), threads * each);
  EXPECT_EQ(hosted->board.waited().snapshot().count(), threads * each);
  EXPECT_EQ(hosted->level.count(), 0);
}

TEST_F(AScoreboard, LosesTheRowsOfAProcessThatWasKilled) {
  const Worker own(*hosted_);
  const SharedMemory memory("test", sizeof(std::atomic<bool>));
  auto& is_seated = memory.as<std::atomic<bool>>();
  Process killed([&] {
    hosted_->level.join_as_process(static_cast<std::uint32_t>(::getpid()));
    Worker worker(*hosted_);
    const auto seat = hosted_->level.take(client(1), -1);
    worker.begin(client(1), at(1));
    is_seated = true;
    for (;;) ::pause();
  });
  ASSERT_TRUE(killed.reaches(is_seated));
  EXPECT_EQ(rows().size(), 2U);
  killed.kill();
  EXPECT_EQ(hosted_->release_process(killed.id()), 1);
  ASSERT_EQ(rows().size(), 1U);
  EXPECT_EQ(rows()[0].process, ::getpid());
  EXPECT_EQ(hosted_->level.count(), 0);
}

namespace {

std::shared_ptr<HostedService> on_board(std::shared_ptr<const Scoreboard> board, int level = 4) {
  Limits limits;
  limits.level = limits.per_client = level;
  return std::make_shared<HostedService>("test", nullptr, limits, std::make_shared<OwnPorts>(), std::move(board));
}

}  // namespace

TEST(AScoreboardOfAnotherProcess, IsAttachedAsItIs) {
  const auto made = std::make_shared<const Scoreboard>("test");
  const auto first = on_board(made);
  const auto seat = first->level.take(client(1), -1);
  first->counters.accepted.add(7);

  const auto attached = Scoreboard::attach(made->fd());
  ASSERT_TRUE(attached.has_value()) << attached.error().what;
  const auto second = on_board(*attached, 2);
  EXPECT_EQ(second->counters.accepted.value(), 7U);
  EXPECT_EQ(second->level.count(), 1);
  const auto other_seat = second->level.take(client(1), -1);
  EXPECT_EQ(first->level.count(), 2);
  EXPECT_FALSE(first->level.take(client(2), -1).has_value()) << "the bounds are those of who came last";
}

TEST(AScoreboardOfAnotherProcess, IsNoneWhenItIsSomethingElse) {
  const SharedMemory memory("test", 4096);
  EXPECT_FALSE(Scoreboard::attach(memory.fd()).has_value());
  EXPECT_FALSE(Scoreboard::attach(-1).has_value());
}

// Killed again and again at any instruction, with locks held: what is left serves on.
TEST(AScoreboardOfAnotherProcess, ForgetsTheDeadAndKeepsWhatWasCounted) {
  const auto board = std::make_shared<const Scoreboard>("test");
  const SharedMemory memory("test", sizeof(std::atomic<bool>));
  auto& is_seated = memory.as<std::atomic<bool>>();
  for (int round = 0; round < 20; ++round) {
    is_seated = false;
    Process killed([&] {
      const auto hosted = on_board(board);
      Worker worker(*hosted);
      if (round % 2 != 0) hosted->level.join_as_process(static_cast<std::uint32_t>(::getpid()));
      const auto held = hosted->level.take(client(1), -1);
      hosted->counters.accepted.add();
      is_seated = true;
      for (;;) (void)hosted->level.take(client(2), -1);
    });
    ASSERT_TRUE(killed.reaches(is_seated));
    killed.kill();
    EXPECT_GE(board->forget_the_dead(), 1);
    EXPECT_TRUE(board->workers().snapshot().empty());
    EXPECT_EQ(board->seats().count(), 0);
  }
  EXPECT_EQ(board->counters().accepted.value(), 20U);
  EXPECT_GE(board->counters().crashed.value(), 20U);

  const auto hosted = on_board(board);
  EXPECT_FALSE(hosted->level.is_in_processes());
  std::vector<Seat> seats;
  for (int i = 0; i < 4; ++i) seats.push_back(hosted->level.take(client(1), -1).value());
  EXPECT_EQ(hosted->level.take(client(1), -1).error(), SeatRefusal::full);
  EXPECT_GE(hosted->level.peak(), 4);
}

TEST(AConversation, IsInTheHistogramsOnce) {
  Conversation conversation(
      "blocking", [](Connection& client, Notes& notes) -> task<> { co_await waits_until(client, notes, may_go); });
  conversation.begin();
  conversation.notes.may_go = true;
  ASSERT_TRUE(conversation.ended());
  EXPECT_EQ(conversation.hosted->board.waited().snapshot().count(), 1U);
  const auto served_in = conversation.hosted->board.served_in().snapshot();
  EXPECT_EQ(served_in.count(), 1U);
  EXPECT_GT(served_in.max(), Clock::duration::zero());
}
