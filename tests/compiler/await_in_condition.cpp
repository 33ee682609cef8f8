// A coroutine that awaits in a condition and has no local variable is laid out wrongly by g++ 12.2 (GCC bug 106188, fixed
// in 12.3): its frame begins 8 bytes before the address that it tells others. task<> aborts when it meets such a frame,
// and any local variable prevents it.

#include <gtest/gtest.h>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// True for so many times, without waiting.
struct Countdown {
  int left;

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<>) const noexcept { return false; }
  bool await_resume() noexcept { return --left > 0; }
};

task<bool> more(Countdown& countdown) {
  const bool is_more = co_await countdown;
  co_return is_more;
}

task<> loop_with_a_local(Countdown& countdown, int& rounds) {
  const int step = 1;
  while (co_await more(countdown)) rounds += step;
}

task<> loop_with_a_local_inside(Countdown& countdown, int& rounds) {
  while (co_await more(countdown)) {
    const int before = rounds;
    rounds = before + 1;
  }
}

task<> loop_with_a_declaration(Countdown& countdown, int& rounds) {
  while (const bool is_more = co_await more(countdown)) rounds += is_more;
}

task<> if_with_a_local(Countdown& countdown, int& rounds) {
  const bool is_more = co_await more(countdown);
  if (is_more) ++rounds;
  if (co_await more(countdown)) ++rounds;
  if (!co_await more(countdown)) co_return;
  ++rounds;
}

task<> loop_without_a_local(Countdown& countdown, int& rounds) {
  while (co_await more(countdown)) ++rounds;
}

int rounds_of(task<> (*body)(Countdown&, int&)) {
  Countdown countdown{5};
  int rounds = 0;
  run(body(countdown, rounds));
  return rounds;
}

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ * 100 + __GNUC_MINOR__ < 1203
constexpr bool is_miscompiled = true;
#else
constexpr bool is_miscompiled = false;
#endif

}  // namespace

TEST(AnAwaitInACondition, IsRightBesideALocalVariable) {
  EXPECT_EQ(rounds_of(loop_with_a_local), 4);
  EXPECT_EQ(rounds_of(loop_with_a_local_inside), 4);
  EXPECT_EQ(rounds_of(loop_with_a_declaration), 4);
  EXPECT_EQ(rounds_of(if_with_a_local), 3);
}

TEST(AnAwaitInAConditionDeathTest, IsNoticedWhereTheCompilerGetsItWrong) {
  if (is_miscompiled)
    EXPECT_DEATH((void)rounds_of(loop_without_a_local), "give the one that awaits in a condition a local variable");
  else
    EXPECT_EQ(rounds_of(loop_without_a_local), 4);
}
