#include "superd/designs/watch.h"

#include <algorithm>

#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;
using namespace std::chrono_literals;

namespace {

/// What is watched; a lead that is taken from it goes back to it, or is refused.
class Leader final : public Watched {
 public:
  explicit Leader(bool can_be_taken = true) : can_be_taken_(can_be_taken) {}

  Baton::Turn turn() const noexcept override {
    ++looks;
    return baton.look();
  }
  bool hand_over(Baton::Turn turn) noexcept override {
    ++asked;
    if (!can_be_taken_ || !baton.take(turn)) return false;
    ++taken;
    return true;
  }

  Baton baton;
  mutable std::atomic<int> looks{0};
  std::atomic<int> asked{0}, taken{0};

 private:
  const bool can_be_taken_;
};

/// A watch with something to watch.
class Stage {
 public:
  explicit Stage(std::optional<Patience::Nanos> deadline, bool can_be_taken = true)
      : leader(can_be_taken), watch(deadline, decisions) {
    if (!watch.start()) throw std::runtime_error("no thread");
    watch.add(leader);
  }

  Baton::Turn begin() {
    const auto turn = leader.baton.begin();
    watch.arm();
    return turn;
  }
  bool has_short_turn() { return leader.baton.end(begin()); }

  std::vector<Decisions::Decision> decided(Decisions::What what) const {
    auto all = decisions.recent();
    std::erase_if(all, [&](const auto& decision) { return decision.what != what; });
    return all;
  }
  std::uint64_t looks() const { return watch.state().looks; }

  Decisions decisions;
  Leader leader;
  Watch watch;
};

/// How long a while is: as long as it takes another watch, of somebody who is busy all the time, to look so often.
class While {
 public:
  While() { other_.begin(); }
  bool passes(std::uint64_t looks = 50) {
    return soon([this, until = other_.looks() + looks] { return other_.looks() >= until; });
  }

 private:
  Stage other_{1ms, false};
};

}  // namespace

TEST(AWatch, TakesATurnThatLasts) {
  Stage stage(1ms);
  const auto turn = stage.begin();
  EXPECT_TRUE(soon([&] { return stage.leader.taken == 1; }));
  EXPECT_FALSE(stage.leader.baton.end(turn));
  EXPECT_TRUE(soon([&] { return stage.watch.state().hand_overs == 1; }));
}

TEST(AWatch, TakesNoTurnThatHasEnded) {
  Stage stage(Patience::shortest);
  constexpr int turns = 200'000;
  int ended = 0;
  for (int i = 0; i < turns; ++i) ended += stage.has_short_turn();
  EXPECT_TRUE(soon([&] { return ended + stage.leader.taken >= turns; }));
  EXPECT_EQ(ended + stage.leader.taken, turns) << "each was ended, or taken";
  // On a busy machine the watch may come to its first look only now.
  EXPECT_TRUE(soon([&] {
    (void)stage.has_short_turn();
    return stage.looks() > 0;
  }));
}

TEST(AWatch, TakesNobodysTurnWithinTheDeadline) {
  Stage stage(std::chrono::hours(1));
  While a_while;
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(stage.has_short_turn());
  const auto turn = stage.begin();
  ASSERT_TRUE(a_while.passes());
  EXPECT_TRUE(stage.leader.baton.end(turn));
  EXPECT_EQ(stage.leader.asked, 0);
}

TEST(AWatch, AsksAgainWhileNobodyCanTakeOver) {
  Stage stage(1ms, false);
  const auto turn = stage.begin();
  EXPECT_TRUE(soon([&] { return stage.leader.asked >= 3; }));
  EXPECT_EQ(stage.watch.state().hand_overs, 0U);
  EXPECT_TRUE(stage.leader.baton.end(turn));
}

TEST(AWatch, SleepsWhileNothingRuns) {
  Stage stage(1ms);
  While a_while;
  ASSERT_TRUE(a_while.passes());
  EXPECT_EQ(stage.looks(), 0U) << "nothing has run at all";

  (void)stage.has_short_turn();
  ASSERT_TRUE(soon([&] { return stage.looks() > 0; }));
  // It may have looked within that turn, and has to look once more then.
  ASSERT_TRUE(a_while.passes(5));
  const auto before = stage.looks();
  ASSERT_TRUE(a_while.passes());
  EXPECT_LE(stage.looks(), before + 1);
}

TEST(AWatch, IsArmedAgainByTheNextTurn) {
  Stage stage(1ms);
  While a_while;
  for (int i = 1; i <= 5; ++i) {
    const auto turn = stage.begin();
    ASSERT_TRUE(soon([&] { return stage.leader.taken == i; }));
    EXPECT_FALSE(stage.leader.baton.end(turn));
    ASSERT_TRUE(a_while.passes(5)) << "meanwhile it sleeps";
  }
}

TEST(AWatch, LeavesAloneWhatWasRemoved) {
  Stage stage(1ms, false);
  Leader other(false);
  stage.watch.add(other);
  (void)other.baton.begin();
  (void)stage.begin();
  ASSERT_TRUE(soon([&] { return other.asked > 0 && stage.leader.asked > 0; }));
  stage.watch.remove(other);
  const int looks = other.looks;
  const int asked = stage.leader.asked;
  ASSERT_TRUE(soon([&] { return stage.leader.asked >= asked + 5; })) << "the other one is still watched";
  EXPECT_EQ(other.looks, looks);
}

TEST(AWatch, NotesThatItLooksLessOftenAndMoreOften) {
  Stage stage({});
  using enum Decisions::What;
  ASSERT_TRUE(soon([&] {
    for (int i = 0; i < 1'000; ++i) (void)stage.has_short_turn();
    return stage.watch.state().period >= 8 * Patience::shortest;
  }));
  const auto less = stage.decided(looks_less_often);
  ASSERT_GE(less.size(), 3U);
  EXPECT_EQ(less.front().figures.period, 2 * Patience::shortest);
  EXPECT_NE(less.front().text().find("every 100 us"), std::string::npos) << less.front().text();

  const auto before = stage.decided(looks_more_often).size();
  while (stage.watch.state().period > Patience::shortest) stage.watch.note_hand_over(10us, true);
  const auto more = stage.decided(looks_more_often);
  ASSERT_GE(more.size(), before + 3);
  EXPECT_EQ(more.back().figures.period, Patience::shortest);
  EXPECT_EQ(more.back().figures.cost, stage.watch.state().cost);
  EXPECT_NE(more.back().text().find("every 50 us"), std::string::npos) << more.back().text();
}

TEST(AWatch, NotesThatItHandsOverAtOnceAndWaitsAgain) {
  Stage stage(1ms);
  using enum Decisions::What;
  for (int i = 0; i < 10; ++i) stage.watch.note_duration(5ms);
  EXPECT_TRUE(stage.watch.hands_over_at_once());
  const auto at_once = stage.decided(hands_over_at_once_now);
  ASSERT_EQ(at_once.size(), 1U);
  EXPECT_GT(at_once.front().figures.late_share * 1'000, 30) << "of 1 ms, for 30 us";
  EXPECT_EQ(at_once.front().figures.period, 1ms);
  EXPECT_EQ(at_once.front().figures.cost, stage.watch.state().cost);

  for (int i = 0; i < 200; ++i) stage.watch.note_duration(1us);
  EXPECT_FALSE(stage.watch.hands_over_at_once());
  const auto waits = stage.decided(waits_again);
  ASSERT_EQ(waits.size(), 1U);
  EXPECT_LT(waits.front().figures.late_share, at_once.front().figures.late_share);
}

TEST(Decisions, KeepTheLastOnesInOrderAndCountAll) {
  Decisions decisions;
  constexpr int many = 1'000;
  for (int i = 1; i <= many; ++i) decisions.note(Decisions::What::thread_started, {.threads = i});
  EXPECT_EQ(decisions.count(), static_cast<std::uint64_t>(many));
  const auto recent = decisions.recent();
  ASSERT_GE(recent.size(), 100U);
  ASSERT_LT(recent.size(), static_cast<std::size_t>(many));
  for (std::size_t i = 0; i < recent.size(); ++i)
    EXPECT_EQ(recent[i].figures.threads, many - static_cast<int>(recent.size() - 1 - i));
  EXPECT_TRUE(std::ranges::is_sorted(recent, {}, &Decisions::Decision::at));
}
