#include "superd/designs/thread_reserve.h"

#include <algorithm>
#include <array>

#include "tests/serve/serve_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Work that lasts until the test lets it end.
class Work final : public Leadable {
 public:
  void lead(ReserveThread&) noexcept override {
    thread = ::gettid();
    if (!soon([this] { return may_end.load(); })) ADD_FAILURE() << "never told to end";
  }
  bool has_begun() const {
    return soon([this] { return thread != 0; });
  }

  std::atomic<pid_t> thread{0};
  std::atomic<bool> may_end{false};
};

constexpr auto yes = [] { return true; };

class AReserve : public ::testing::Test {
 protected:
  ~AReserve() override {
    for (auto& work : works) work.may_end = true;
  }

  bool has_spares(int number) const {
    return soon([&] { return reserve.count().spares == number; });
  }
  auto times_decided(Decisions::What what) const {
    return std::ranges::count(decisions.recent(), what, &Decisions::Decision::what);
  }

  static constexpr int most = 3;
  Decisions decisions;
  std::array<Work, 5> works;
  ThreadReserve reserve{"reserve", most, decisions};
};

}  // namespace

TEST_F(AReserve, HandsEachWorkToAThreadOfItsOwn) {
  for (std::size_t i = 0; i < most; ++i) ASSERT_TRUE(reserve.hand(works[i], yes));
  for (std::size_t i = 0; i < most; ++i) EXPECT_TRUE(works[i].has_begun());
  EXPECT_NE(works[0].thread, works[1].thread);
  EXPECT_NE(works[1].thread, works[2].thread);
  EXPECT_EQ(reserve.count().threads, most);
  EXPECT_EQ(reserve.count().spares, 0);
  EXPECT_EQ(times_decided(Decisions::What::thread_started), most);
}

TEST_F(AReserve, HasNoMoreThreadsThanItsBound) {
  for (std::size_t i = 0; i < most; ++i) ASSERT_TRUE(reserve.hand(works[i], yes));
  const auto never_asked = [] {
    ADD_FAILURE() << "asked without a thread";
    return true;
  };
  EXPECT_FALSE(reserve.hand(works[most], never_asked));
  EXPECT_FALSE(reserve.hand(works[most], never_asked));
  EXPECT_EQ(reserve.count().threads, most);
  EXPECT_EQ(times_decided(Decisions::What::threads_at_bound), 1) << "noted once, not each time";

  ASSERT_TRUE(works[0].has_begun());
  works[0].may_end = true;
  ASSERT_TRUE(has_spares(1));
  EXPECT_TRUE(reserve.hand(works[most], yes));
  EXPECT_TRUE(works[most].has_begun());
  EXPECT_EQ(works[most].thread, works[0].thread);
  EXPECT_EQ(reserve.count().threads, most);
}

TEST_F(AReserve, TakesTheSpareThatWasBusyLast) {
  ASSERT_TRUE(reserve.hand(works[0], yes));
  ASSERT_TRUE(reserve.hand(works[1], yes));
  ASSERT_TRUE(works[0].has_begun() && works[1].has_begun());
  works[0].may_end = true;
  ASSERT_TRUE(has_spares(1));
  works[1].may_end = true;
  ASSERT_TRUE(has_spares(2));

  ASSERT_TRUE(reserve.hand(works[2], yes));
  ASSERT_TRUE(works[2].has_begun());
  EXPECT_EQ(works[2].thread, works[1].thread);
  ASSERT_TRUE(reserve.hand(works[3], yes));
  ASSERT_TRUE(works[3].has_begun());
  EXPECT_EQ(works[3].thread, works[0].thread);
  EXPECT_EQ(reserve.count().threads, 2);
}

TEST_F(AReserve, KeepsTheThreadWhenThereIsNothingToTakeOver) {
  const auto no = [] { return false; };
  EXPECT_FALSE(reserve.hand(works[0], no));
  EXPECT_EQ(reserve.count().threads, 1);
  EXPECT_EQ(reserve.count().spares, 1);
  EXPECT_TRUE(reserve.hand(works[1], yes));
  EXPECT_TRUE(works[1].has_begun());
  EXPECT_EQ(works[0].thread, 0) << "it was not to be led";
  EXPECT_EQ(reserve.count().threads, 1);
}

TEST_F(AReserve, LeadsTheSameWorkInOneThreadAfterAnother) {
  works[0].may_end = true;
  for (int i = 0; i < 100; ++i) {
    works[0].thread = 0;
    ASSERT_TRUE(reserve.hand(works[0], yes));
    ASSERT_TRUE(works[0].has_begun());
    ASSERT_TRUE(has_spares(1));
  }
  EXPECT_EQ(reserve.count().threads, 1);
}
