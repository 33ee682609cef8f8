#include "superd/serve/program_totals.h"

#include <gtest/gtest.h>

#include <csignal>

using namespace superd;

namespace {

// As waitpid(2) has it.
constexpr int exited(int code) { return code << 8; }
constexpr int killed(int signal) { return signal; }

rusage used(long user_us, long system_us, long most_kb) {
  rusage usage{};
  usage.ru_utime = {user_us / 1'000'000, user_us % 1'000'000};
  usage.ru_stime = {system_us / 1'000'000, system_us % 1'000'000};
  usage.ru_maxrss = most_kb;
  return usage;
}

}  // namespace

TEST(ProgramTotals, TellHowEachEnded) {
  ProgramTotals totals;
  totals.add(exited(0), {});
  totals.add(exited(0), {});
  totals.add(exited(3), {});
  totals.add(killed(SIGSEGV), {});
  EXPECT_EQ(totals.well.value(), 2U);
  EXPECT_EQ(totals.badly.value(), 1U);
  EXPECT_EQ(totals.by_signal.value(), 1U);
}

TEST(ProgramTotals, AddTimesUpAndKeepTheLargestSize) {
  ProgramTotals totals;
  totals.add(exited(0), used(1'500'000, 20, 900));
  totals.add(exited(1), used(600'001, 30, 70'000));
  totals.add(killed(SIGKILL), used(0, 0, 8));
  EXPECT_EQ(totals.user_us.value(), 2'100'001U);
  EXPECT_EQ(totals.system_us.value(), 50U);
  EXPECT_EQ(totals.most_kb.value(), 70'000U);
}
