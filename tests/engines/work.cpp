#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// Work that lasts until the test lets it go.
struct Errand : Work {
  Errand() {
    run = [](Job& job) noexcept {
      auto& errand = static_cast<Errand&>(job);
      errand.began = true;
      for (const Time end = Clock::now() + patience; !errand.may_end && Clock::now() < end;)
        std::this_thread::sleep_for(Millis{1});
      errand.has_ended = true;
    };
  }
  [[nodiscard]] bool has_begun() const {
    for (const Time end = Clock::now() + patience; !began;) {
      if (Clock::now() > end) return false;
      std::this_thread::sleep_for(Millis{1});
    }
    return true;
  }
  std::atomic<bool> began{false}, may_end{false}, has_ended{false};
};

class SomeWork : public Engines {
 protected:
  Request& begin(Errand& errand) {
    Request& request = request_without_socket();
    request.work = &errand;
    start(engine(), request, Kind::work);
    return request;
  }
  /// Takes every background thread there may be, until `may_end`.
  class Crowd {
   public:
    explicit Crowd(Engine& engine) : engine_(engine) {
      const auto waited = background().figures().waited;
      do {
        auto& one = crowd_.emplace_back();
        one.request.work = &one.errand;
        start(engine_, one.request, Kind::work);
      } while (background().figures().waited == waited || !all_but_one_have_begun());
    }
    ~Crowd() {
      for (auto& one : crowd_) one.errand.may_end = true;
      for (auto& one : crowd_)
        while (!one.request.is_done()) engine_.turn(Clock::now() + Millis{20});
    }

   private:
    struct Member {
      Errand errand;
      Request request{-1};
    };
    bool all_but_one_have_begun() {
      for (auto& one : crowd_)
        if (&one != &crowd_.back() && !one.errand.has_begun()) return false;
      return true;
    }
    Engine& engine_;
    std::list<Member> crowd_;
  };
};
INSTANTIATE_TEST_SUITE_P(Every, SomeWork, ::testing::ValuesIn(engine_names()), engine_of_case);

}  // namespace

TEST_P(SomeWork, IsDoneElsewhereWhileOthersAreServed) {
  Errand errand;
  Request& working = begin(errand);
  Pair& pair = keep(tcp_pair());
  Request& reading = request_for(pair.ours);
  start_read(engine(), reading);
  ASSERT_TRUE(send_text(pair.client, "meanwhile"));
  ASSERT_TRUE(turn_until_done(reading));
  EXPECT_FALSE(working.is_done());
  errand.may_end = true;
  ASSERT_TRUE(turn_until_done(working));
  EXPECT_TRUE(errand.has_ended);
  EXPECT_EQ(working.outcome, Outcome::done);
  EXPECT_EQ(working.completions, 1);
}

TEST_P(SomeWork, WakesALoopThatWaitsWithoutEnd) {
  Errand errand;
  errand.may_end = true;
  Request& working = begin(errand);
  while (!working.is_done()) engine().turn(never);
  EXPECT_EQ(working.outcome, Outcome::done);
}

TEST_P(SomeWork, ThatHasNotBegunIsCancelledAtOnce) {
  const Crowd crowd(engine());
  Errand errand;
  Request& working = begin(errand);
  engine().cancel(working);
  ASSERT_TRUE(turn_until_done(working));
  EXPECT_EQ(working.outcome, Outcome::cancelled);
  EXPECT_FALSE(errand.began);
}

TEST_P(SomeWork, ThatHasBegunTellsAtItsEndThatItWasCancelled) {
  Errand errand;
  Request& working = begin(errand);
  ASSERT_TRUE(errand.has_begun());
  engine().cancel(working);
  turn_some();
  EXPECT_FALSE(working.is_done());
  errand.may_end = true;
  ASSERT_TRUE(turn_until_done(working));
  EXPECT_EQ(working.outcome, Outcome::cancelled);
  EXPECT_EQ(working.completions, 1);
  turn_some();
  start(engine(), working, Kind::signal, Clock::now() + Millis{10});
  ASSERT_TRUE(turn_until_done(working));
  EXPECT_EQ(working.outcome, Outcome::timed_out) << "its end was told twice";
}

TEST_P(SomeWork, HasEndedWhenAllWasCancelled) {
  Errand errand;
  Request& working = begin(errand);
  ASSERT_TRUE(errand.has_begun());
  const std::jthread later([&] {
    std::this_thread::sleep_for(Millis{5});
    errand.may_end = true;
  });
  engine().cancel_all();
  EXPECT_TRUE(errand.has_ended);
  EXPECT_EQ(working.outcome, Outcome::cancelled);
  EXPECT_EQ(working.completions, 1);
  turn_some();
  EXPECT_EQ(working.completions, 1);
}

TEST_P(SomeWork, WhoseEndHasNotBeenHeardOfIsCancelledOnce) {
  Errand errand;
  errand.may_end = true;
  Request& working = begin(errand);
  background().wait_for(errand);
  engine().cancel_all();
  EXPECT_EQ(working.completions, 1);
  turn_some();
  start(engine(), working, Kind::signal, Clock::now() + Millis{10});
  ASSERT_TRUE(turn_until_done(working));
  EXPECT_EQ(working.outcome, Outcome::timed_out) << "its end came after it was over";
}

TEST_P(SomeWork, ThatIsForgottenRefersToNothingAnyMore) {
  {
    Errand errand;
    Request& working = begin(errand);
    ASSERT_TRUE(errand.has_begun());
    const std::jthread later([&] {
      std::this_thread::sleep_for(Millis{5});
      errand.may_end = true;
    });
    engine().forget(working);
    EXPECT_TRUE(errand.has_ended);
    EXPECT_EQ(working.completions, 0);
    working.parked.destroy();  // nobody resumes it any more
  }
  const Crowd crowd(engine());
  Errand errand;
  Request& working = begin(errand);
  engine().forget(working);
  EXPECT_FALSE(errand.began);
  turn_some();
  EXPECT_EQ(working.completions, 0);
  working.parked.destroy();
}

// The engine may go as soon as the last of its operations was resumed, while a background thread still speaks to it.
TEST_P(SomeWork, OfManyEnginesThatEndAtOnce) {
  for (int i = 0; i < 200; ++i) {
    auto short_lived = std::move(*find_engine(GetParam())->make());
    Errand errand;
    errand.may_end = true;
    Request request(-1);
    request.work = &errand;
    start(*short_lived, request, Kind::work);
    while (!request.is_done()) short_lived->turn(never);
    short_lived->forget(request);
  }
}
