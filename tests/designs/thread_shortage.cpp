#include <sys/resource.h>

#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// The number of threads that this user may have; root has no such bound.
void allow_threads(std::ptrdiff_t number) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NPROC, &limit);
  limit.rlim_cur = static_cast<rlim_t>(number);
  ::setrlimit(RLIMIT_NPROC, &limit);
}

/// A child of a user that nobody else is, with room for a few threads more; runs `work` there and returns its words.
template <class Work>
std::string with_few_threads(std::ptrdiff_t more, Work work) {
  return in_child([&]() -> std::string {
    const auto nobody_else = static_cast<uid_t>(2'000'000 + ::getpid());
    if (::setuid(nobody_else) != 0) return "not root";
    allow_threads(threads_of_this_process() + more);
    return work();
  });
}

constexpr std::ptrdiff_t plenty = 100;

}  // namespace

TEST(WithoutThreads, AClientOfThreadsWaitsUntilThereIsOne) {
  const auto told = with_few_threads(1, []() -> std::string {
    Serving serving({.design = "threads"}, {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}, echoes_stream, echoes_datagram);
    const auto stream = serving.client(0), datagrams = serving.client(1);
    if (!send_text(stream, "stream") || !send_text(datagrams, "datagram")) return "cannot send";
    if (!soon([&] { return serving.counted(&Counters::out_of_threads) >= 3; })) return "no shortage";
    if (serving.counted(&Counters::served) != 0) return "served without a thread";
    allow_threads(threads_of_this_process() + plenty);
    return received_text(stream).value_or("nothing") + " " + received_text(datagrams).value_or("nothing");
  });
  if (told == "not root") GTEST_SKIP() << "only root can become a user with a bound";
  EXPECT_EQ(told, "stream datagram");
}

TEST(WithoutThreads, PrethreadedServesWithThoseItGot) {
  const auto told = with_few_threads(2, []() -> std::string {
    const auto before = threads_of_this_process();
    Serving serving({.design = "prethreaded", .workers = 8}, {"tcp/127.0.0.1:0"}, echoes_stream);
    if (threads_of_this_process() != before + 2) return "other than two workers";
    const auto client = serving.client();
    return send_text(client, "hello") ? received_text(client).value_or("nothing") : "cannot send";
  });
  if (told == "not root") GTEST_SKIP() << "only root can become a user with a bound";
  EXPECT_EQ(told, "hello");
}

TEST(WithoutThreads, NoDesignOpensAndEachSaysWhy) {
  for (const auto& entry : designs()) {
#if defined(__SANITIZE_THREAD__)
    // It has a thread of its own in the child, and starts a second one at the child's first.
    if (entry.forks) continue;
#endif
    const auto told = with_few_threads(0, [&]() -> std::string {
      try {
        const Serving serving({.design = std::string(entry.name), .engine = "epoll"}, {"tcp/127.0.0.1:0"},
                              echoes_stream);
        return "opened";
      } catch (const std::runtime_error& error) {
        return error.what();
      }
    });
    if (told == "not root") GTEST_SKIP() << "only root can become a user with a bound";
    EXPECT_NE(told.find(entry.forks ? "fork" : "start thread"), std::string::npos) << entry.name << ": " << told;
    EXPECT_NE(told.find("resource temporarily unavailable"), std::string::npos) << entry.name << ": " << told;
  }
}

TEST(WithoutThreads, ALoopDoesItselfWhatShouldRunInTheBackground) {
  const auto told = with_few_threads(1, []() -> std::string {
    const auto serves = [](Connection& client, Notes&) -> task<> {
      std::string answer;
      const auto make = [&answer] { answer = "made here"; };
      const bool goes_on = co_await client.run_in_background(make);
      if (goes_on) co_await client.write(answer);
    };
    Serving serving({.design = "event", .engine = "epoll", .loops = 1}, {"tcp/127.0.0.1:0"}, serves);
    const auto answer = received_text(serving.client()).value_or("nothing");
    return answer + ", " + std::to_string(background().figures().refused);
  });
  if (told == "not root") GTEST_SKIP() << "only root can become a user with a bound";
  EXPECT_EQ(told, "made here, 1");
}
