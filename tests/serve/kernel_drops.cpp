#include "superd/serve/kernel_drops.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/serve/doors.h"

using namespace superd;
using namespace superd::test;

namespace {

// A second listener on the socket of the first, as a design in another process has it.
std::shared_ptr<Listener> again(const Listener& first) {
  return std::make_shared<Listener>(Socket(dup(first.socket.fd())), first.transport, first.local, first.hosted);
}

}  // namespace

TEST(KernelDrops, AreCountedOnceWhicheverListenerOfASocketHearsOfThem) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 1, 1);
  const auto first = listener_at("udp/127.0.0.1:0", hosted);
  first->note_kernel_drops(100);
  const auto second = again(*first);
  second->note_kernel_drops(130);
  first->note_kernel_drops(135);
  EXPECT_EQ(hosted->counters.kernel_drops.value(), 135u);
}

TEST(KernelDrops, AreEachSocketsOwn) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 1, 1);
  const auto first = listener_at("udp/127.0.0.1:0", hosted);
  const auto other = listener_at("udp/127.0.0.1:0", hosted);
  first->note_kernel_drops(100);
  other->note_kernel_drops(10);
  EXPECT_EQ(hosted->counters.kernel_drops.value(), 110u);
}

TEST(KernelDrops, MayStartAnewAfterFourBillion) {
  Notes notes;
  const auto hosted = hosted_at_level(notes, 1, 1);
  const auto listener = listener_at("udp/127.0.0.1:0", hosted);
  listener->note_kernel_drops(2'000'000'000);
  listener->note_kernel_drops(4'000'000'000);
  listener->note_kernel_drops(5);
  EXPECT_EQ(hosted->counters.kernel_drops.value(), 4'294'967'301u);
}
