#include "superd/serve/kernel_drops.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

class TheKernelsDrops : public ::testing::Test {
 protected:
  std::shared_ptr<Listener> listener() { return listener_at("udp/127.0.0.1:0", hosted_); }
  // On the socket of the first, as a design in another process has it.
  static std::shared_ptr<Listener> again(const Listener& first) {
    return std::make_shared<Listener>(Socket(dup(first.socket.fd())), first.transport, first.local, first.hosted);
  }
  std::uint64_t counted() const { return hosted_->counters.kernel_drops.value(); }

 private:
  Notes notes_;
  std::shared_ptr<HostedService> hosted_ = hosted_at_level(notes_, 1, 1);
};

}  // namespace

TEST_F(TheKernelsDrops, AreCountedOnceWhicheverListenerOfASocketHearsOfThem) {
  const auto first = listener(), second = again(*first);
  first->note_kernel_drops(100);
  second->note_kernel_drops(130);
  first->note_kernel_drops(135);
  EXPECT_EQ(counted(), 135u);
}

TEST_F(TheKernelsDrops, AreEachSocketsOwn) {
  const auto first = listener(), other = listener();
  first->note_kernel_drops(100);
  other->note_kernel_drops(10);
  EXPECT_EQ(counted(), 110u);
}

TEST_F(TheKernelsDrops, MayStartAnewAfterFourBillion) {
  const auto first = listener();
  first->note_kernel_drops(2'000'000'000);
  first->note_kernel_drops(4'000'000'000);
  first->note_kernel_drops(5);
  EXPECT_EQ(counted(), 4'294'967'301u);
}
