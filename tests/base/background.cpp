#include "superd/base/background.h"

#include <gtest/gtest.h>

#include <atomic>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

using namespace superd;

namespace {

constexpr Millis never_idle{std::chrono::hours{1}};

/// Asks until the claim holds; false when it did not in a time that is long for any machine.
template <class Claim>
bool soon(Claim claim) {
  for (const Time until = Clock::now() + Seconds{20}; !claim();) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(Millis{1});
  }
  return true;
}

/// What the jobs of a test share.
struct Stage {
  std::atomic<int> begun{0}, ended{0};
  std::atomic<bool> may_go{false};
  std::mutex mutex;
  std::vector<int> order;

  bool has_begun(int number) {
    return soon([&] { return begun == number; });
  }
};

/// Notes that it runs, and lasts until it may go.
struct Errand : Job {
  Errand(Stage& of, int its_number) : stage(of), number(its_number) {
    run = [](Job& job) noexcept {
      auto& errand = static_cast<Errand&>(job);
      {
        const std::lock_guard lock(errand.stage.mutex);
        errand.stage.order.push_back(errand.number);
      }
      ++errand.stage.begun;
      (void)soon([&] { return errand.stage.may_go.load(); });
    };
    ended = [](Job& job) noexcept { ++static_cast<Errand&>(job).stage.ended; };
  }
  Stage& stage;
  int number;
};

/// So many jobs, submitted.
class Errands {
 public:
  Errands(Background& pool, Stage& stage, int number) : stage_(stage) {
    for (int i = 0; i < number; ++i) EXPECT_TRUE(pool.submit(jobs_.emplace_back(stage, i)));
  }
  ~Errands() { EXPECT_TRUE(all_end()); }
  bool all_end() {
    stage_.may_go = true;
    return soon([&] { return stage_.ended == static_cast<int>(jobs_.size()) - taken_back; });
  }
  Errand& operator[](int number) { return *std::next(jobs_.begin(), number); }

  int taken_back = 0;

 private:
  Stage& stage_;
  std::list<Errand> jobs_;
};

}  // namespace

TEST(ABackground, HasNoThreadBeforeItIsNeeded) {
  const Background pool(4, never_idle);
  EXPECT_EQ(pool.figures().peak, 0);
}

TEST(ABackground, RunsAsManyAtOnceAsItsBoundAndQueuesTheOthers) {
  Stage stage;
  Background pool(3, never_idle);
  {
    Errands errands(pool, stage, 10);
    ASSERT_TRUE(stage.has_begun(3));
    const auto figures = pool.figures();
    EXPECT_EQ(figures.threads, 3);
    EXPECT_EQ(figures.queued, 7);
    EXPECT_EQ(figures.waited, 7U);
    EXPECT_TRUE(errands.all_end());
  }
  const auto figures = pool.figures();
  EXPECT_EQ(stage.begun, 10);
  EXPECT_EQ(figures.ended, 10U);
  EXPECT_EQ(figures.peak, 3);
  EXPECT_EQ(figures.queued, 0);
}

TEST(ABackground, RunsInTheOrderOfTheirComing) {
  Stage stage;
  Background pool(1, never_idle);
  {
    Errands errands(pool, stage, 20);
    ASSERT_TRUE(errands.all_end());
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(stage.order.at(static_cast<std::size_t>(i)), i);
}

TEST(ABackground, UsesAnIdleThreadBeforeItMakesAnother) {
  Background pool(8, never_idle);
  for (int i = 0; i < 50; ++i) {
    Stage stage;
    stage.may_go = true;
    Errands errands(pool, stage, 1);
    ASSERT_TRUE(errands.all_end());
  }
  EXPECT_EQ(pool.figures().peak, 1);
}

TEST(ABackground, LetsIdleThreadsGoAndMakesNewOnes) {
  Background pool(4, Millis{1});
  for (int round = 0; round < 3; ++round) {
    Stage stage;
    {
      Errands errands(pool, stage, 4);
      ASSERT_TRUE(stage.has_begun(4));
    }
    ASSERT_TRUE(soon([&] { return pool.figures().threads == 0; })) << round;
  }
  EXPECT_EQ(pool.figures().ended, 12U);
}

TEST(ABackground, LosesNoJobBetweenIdleThreadsThatGo) {
  Background pool(2, Millis{0});
  for (int i = 0; i < 300; ++i) {
    Stage stage;
    stage.may_go = true;
    Errands errands(pool, stage, 1);
    ASSERT_TRUE(errands.all_end()) << i;
  }
}

TEST(ABackground, TakesBackWhatHasNotBegun) {
  Stage stage;
  Background pool(1, never_idle);
  {
    Errands errands(pool, stage, 5);
    ASSERT_TRUE(stage.has_begun(1));
    EXPECT_FALSE(pool.take_back(errands[0])) << "it runs";
    for (const int number : {4, 2, 1}) EXPECT_TRUE(pool.take_back(errands[number])) << number;
    EXPECT_FALSE(pool.take_back(errands[2])) << "a second time";
    errands.taken_back = 3;
    EXPECT_EQ(pool.figures().queued, 1);
    ASSERT_TRUE(pool.submit(errands[4]));
    errands.taken_back = 2;
    ASSERT_TRUE(errands.all_end());
    EXPECT_FALSE(pool.take_back(errands[0])) << "it has ended";
  }
  EXPECT_EQ(stage.order, (std::vector{0, 3, 4}));
}

TEST(ABackground, IsWaitedFor) {
  Stage stage;
  Background pool(2, never_idle);
  Errands errands(pool, stage, 2);
  ASSERT_TRUE(stage.has_begun(2));
  std::atomic<int> waited_for{0};
  std::vector<std::jthread> others;
  for (int i = 0; i < 2; ++i)
    others.emplace_back([&, i] {
      pool.wait_for(errands[i]);
      ++waited_for;
    });
  EXPECT_EQ(waited_for, 0);
  stage.may_go = true;
  others.clear();
  EXPECT_EQ(waited_for, 2);
  pool.wait_for(errands[0]);  // at once
}

TEST(ABackground, EndsWithItsThreads) {
  Stage stage;
  {
    Background pool(4, never_idle);
    Errands errands(pool, stage, 4);
  }
  EXPECT_EQ(stage.ended, 4);
}

TEST(ABackground, TakesJobsFromManyThreads) {
  Stage stage;
  stage.may_go = true;
  Background pool(3, Millis{1});
  std::vector<std::jthread> submitting;
  for (int i = 0; i < 4; ++i)
    submitting.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        Stage own;
        own.may_go = true;
        Errand errand(own, n);
        if (!pool.submit(errand)) return;
        pool.wait_for(errand);
        ++stage.ended;
      }
    });
  submitting.clear();
  EXPECT_EQ(stage.ended, 2'000);
  EXPECT_LE(pool.figures().peak, 3);
}
