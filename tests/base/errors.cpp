#include <gtest/gtest.h>

#include "superd/base/error.h"

using namespace superd;

TEST(ASystemError, SaysWhatWasTriedAndWhyItFailed) {
  const auto failure = system_error("bind udp 0.0.0.0:37", EACCES).error();
  EXPECT_EQ(failure.what, "bind udp 0.0.0.0:37: permission denied");
  EXPECT_EQ(failure.code, EACCES);
}

TEST(ASystemError, TakesErrnoFromTheCallThatFailed) {
  errno = ENOENT;
  EXPECT_EQ(system_error("open x").error().code, ENOENT);
}

TEST(TheTextOfAnErrno, KeepsItsAcronyms) {
  EXPECT_EQ(errno_text(ERFKILL), "operation not possible due to RF-kill");
  EXPECT_EQ(errno_text(EDOTDOT), "RFS specific error");
}

TEST(TheTextOfAnErrno, IsThereForUnknownNumbersToo) { EXPECT_EQ(errno_text(100'000), "error 100000"); }

TEST(BrokenDeathTest, SaysWhatCannotBe) { EXPECT_DEATH(broken("a seat given back twice"), "a seat given back twice"); }
