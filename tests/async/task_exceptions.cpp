#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/async/async_test.h"

using namespace superd;
using namespace superd::test;

namespace {

task<int> fail(const char* why) {
  throw std::runtime_error(why);
  co_return 1;
}

task<int> pass_on(const char* why) {
  const int n = co_await fail(why);
  co_return n + 1;
}

task<std::string> recover() {
  std::string text = "nothing";
  try {
    (void)co_await pass_on("three floors below");
  } catch (const std::runtime_error& failure) {
    text = failure.what();
  }
  co_return text;
}

task<> fail_behind(Gate& gate) {
  co_await gate;
  throw std::runtime_error("later");
}

detached catch_it(task<> work, std::string& caught) {
  try {
    co_await work;
  } catch (const std::runtime_error& failure) {
    caught = failure.what();
  }
}

task<> hold(const std::shared_ptr<int>& held, bool throws) {
  const std::vector<std::shared_ptr<int>> own{held};
  if (throws) throw std::runtime_error("with locals");
  co_return;
}

}  // namespace

TEST(AnException, TravelsToWhoeverAwaits) {
  EXPECT_THROW(run(pass_on("why")), std::runtime_error);
  EXPECT_EQ(run(recover()), "three floors below");
}

TEST(AnException, TravelsAfterAWaitToo) {
  Gate gate;
  std::string caught;
  catch_it(fail_behind(gate), caught);
  EXPECT_EQ(caught, "");
  gate.open();
  EXPECT_EQ(caught, "later");
}

TEST(AnException, IsThereForABeginner) {
  auto work = fail("at once");
  ASSERT_TRUE(work.begin());
  EXPECT_THROW(work.result(), std::runtime_error);
}

TEST(AnException, LeavesNoLocalBehind) {
  const auto held = std::make_shared<int>(1);
  EXPECT_THROW(run(hold(held, true)), std::runtime_error);
  EXPECT_EQ(held.use_count(), 1);
  run(hold(held, false));
  EXPECT_EQ(held.use_count(), 1);
}
