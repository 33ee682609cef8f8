#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

EVERY_ENGINE(AStallOfTheLoop);

namespace {

/// Is stopped for a while right after its first look, during which the event comes that its second look finds.
class StoppedAfterALook final : public Engine {
 public:
  bool wait(Operation& operation) noexcept override {
    waiting_ = &operation;
    timers_.put(operation, operation.deadline);
    return false;
  }
  void forget(Operation& operation) noexcept override { timers_.remove(operation); }
  void cancel_all() noexcept override { cancel_timers(); }

 private:
  int collect(Time) noexcept override {
    // The stop itself: until what is waited for is overdue.
    if (++looks_ == 1) std::this_thread::sleep_until(waiting_->deadline + Millis{1});
    return 0;
  }
  Operation* next_event() noexcept override {
    Operation* ready = looks_ == 2 ? std::exchange(waiting_, nullptr) : nullptr;
    return ready ? completed(*ready, Outcome::done) : nullptr;
  }
  Operation* timer_came_up(Operation& operation) noexcept override {
    return operation.kind == Kind::none ? nullptr : completed(operation, Outcome::timed_out);
  }
  void withdraw(Operation& operation) noexcept override { timers_.remove(operation); }

  int looks_ = 0;
  Operation* waiting_ = nullptr;
};

}  // namespace

TEST(AStopAfterTheLook, TimesNobodyOutWhoseEventCameMeanwhile) {
  StoppedAfterALook engine;
  Request request(-1);
  start(engine, request, Kind::read, engine.now() + Millis{10});
  engine.turn({});
  EXPECT_FALSE(request.is_done());
  engine.turn({});
  ASSERT_TRUE(request.is_done());
  EXPECT_EQ(request.outcome, Outcome::done);
  engine.forget(request);
}

// A handler that computes, or a stop of the whole process: the deadline was reckoned from before it.
TEST_P(AStallOfTheLoop, IsNoSilenceOfTheClients) {
  constexpr Millis idle{20}, stall{500};
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  for (int i = 0; i < 2; ++i) {
    engine().turn({});
    std::this_thread::sleep_for(stall);
    start_read(engine(), request, engine().now() + idle);
    turn_some();
    ASSERT_FALSE(request.is_done());
    ASSERT_TRUE(send_text(pair.client, "back again"));
    ASSERT_TRUE(turn_until_done(request));
    EXPECT_EQ(request.got, "back again");
  }
}

TEST_P(AStallOfTheLoop, ExcusesNobodyTwice) {
  constexpr Millis idle{20}, stall{60};
  Pair& pair = keep(tcp_pair());
  Request& request = request_for(pair.ours);
  start_read(engine(), request, engine().now() + idle);
  // A loop that is never in time.
  for (int turns = 0; turns < 10 && !request.is_done(); ++turns) {
    std::this_thread::sleep_for(stall);
    engine().turn({});
  }
  ASSERT_TRUE(request.is_done());
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}
