#include "superd/engines/blocking.h"

#include <csignal>

#include "tests/engines/engine_test.h"

using namespace superd;
using namespace superd::test;

namespace {

/// An operation on a blocking waiter; the call returns with its outcome.
class BlockingWaiter : public ::testing::Test {
 protected:
  Outcome read(Request& request, Time deadline = never) {
    start_read(waiter, request, deadline);
    return request.outcome;
  }
  Outcome write(Request& request, std::string_view text, Time deadline = never) {
    start_write(waiter, request, text, deadline);
    return request.outcome;
  }
  /// A deadline from now on, as a connection reckons it.
  Time in(Millis duration) {
    waiter.refresh_now();
    return waiter.now() + duration;
  }

  Blocking waiter;
};

/// Interrupts a thread with a signal that does nothing, again and again.
class Interruptions {
 public:
  Interruptions() {
    struct sigaction nothing{};
    nothing.sa_handler = [](int) {};
    ::sigaction(SIGUSR1, &nothing, &before_);
    thread_ = std::jthread([target = ::pthread_self()](const std::stop_token& stopped) {
      while (!stopped.stop_requested()) {
        ::pthread_kill(target, SIGUSR1);
        std::this_thread::sleep_for(Millis{1});
      }
    });
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  ~Interruptions() {
    thread_ = {};
    ::sigaction(SIGUSR1, &before_, nullptr);
  }

 private:
  struct sigaction before_{};
  std::jthread thread_;
};

}  // namespace

TEST_F(BlockingWaiter, NeverSuspends) {
  const Pair pair = tcp_pair();
  Request request(pair.ours.fd());
  ASSERT_TRUE(send_text(pair.client, "hello"));
  EXPECT_EQ(read(request), Outcome::done);
  EXPECT_EQ(request.got, "hello");
  EXPECT_EQ(write(request, "answer"), Outcome::done);
  EXPECT_EQ(receive_now(pair.client), "answer");
  start(waiter, request, Kind::readable);
  EXPECT_EQ(request.outcome, Outcome::done);
  ::shutdown(pair.client.fd(), SHUT_WR);
  EXPECT_EQ(read(request), Outcome::end_of_stream);
  EXPECT_EQ(request.completions, 1);
  waiter.forget(request);
}

TEST_F(BlockingWaiter, ReadsWhatComesLater) {
  const Pair pair = tcp_pair();
  Request request(pair.ours.fd());
  std::jthread client([&] {
    std::this_thread::yield();
    (void)send_text(pair.client, "later");
  });
  EXPECT_EQ(read(request, in(patience)), Outcome::done);
  EXPECT_EQ(request.got, "later");
  waiter.forget(request);
}

TEST_F(BlockingWaiter, GivesUpASilentClientAtItsDeadlineAndNotBefore) {
  const Pair pair = unix_pair();
  Request request(pair.ours.fd());
  for (const Millis time : {Millis{30}, Millis{10}, Millis{50}}) {
    const Time deadline = in(time);
    EXPECT_EQ(read(request, deadline), Outcome::timed_out);
    EXPECT_GE(Clock::now(), deadline);
  }
  waiter.forget(request);
}

// SO_RCVTIMEO stays with the socket: the next read may have all the time there is.
TEST_F(BlockingWaiter, ForgetsADeadlineThatIsOver) {
  const Pair pair = unix_pair();
  Request request(pair.ours.fd());
  EXPECT_EQ(read(request, in(Millis{5})), Outcome::timed_out);
  std::atomic<bool> sent{false};
  std::jthread client([&] {
    for (const Time later = Clock::now() + Millis{60}; Clock::now() < later;) std::this_thread::yield();
    sent = true;
    (void)send_text(pair.client, "at last");
  });
  EXPECT_EQ(read(request), Outcome::done);
  EXPECT_TRUE(sent);
  EXPECT_EQ(request.got, "at last");
  waiter.forget(request);
}

// And a nearer deadline shortens what the kernel was told for a farther one.
TEST_F(BlockingWaiter, ComesBackForADeadlineThatHasMovedNearer) {
  const Pair pair = unix_pair();
  Request request(pair.ours.fd());
  ASSERT_TRUE(send_text(pair.client, "plenty of time"));
  EXPECT_EQ(read(request, in(std::chrono::hours{1})), Outcome::done);
  EXPECT_EQ(read(request, in(Millis{20})), Outcome::timed_out);
  waiter.forget(request);
}

TEST_F(BlockingWaiter, DoesNotBlameTheClientForTheHandlersTime) {
  const Pair pair = unix_pair();
  Request request(pair.ours.fd());
  const Time deadline = in(Millis{20});
  for (const Time busy = Clock::now() + Millis{40}; Clock::now() < busy;) std::this_thread::yield();
  const Time asked = Clock::now();
  EXPECT_EQ(read(request, deadline), Outcome::timed_out);
  EXPECT_GE(Clock::now(), asked + Millis{20});
  waiter.forget(request);
}

TEST_F(BlockingWaiter, GivesUpAClientThatTakesNothing) {
  const Pair pair = unix_pair();
  stuff(pair.ours);
  Request request(pair.ours.fd());
  const Time deadline = in(Millis{30});
  EXPECT_EQ(write(request, "no room", deadline), Outcome::timed_out);
  EXPECT_GE(Clock::now(), deadline);
  waiter.forget(request);
}

TEST_F(BlockingWaiter, WritesAllToASlowReader) {
  const Pair pair = tcp_pair();
  const std::string sent = pattern(12'000'000);
  std::string got;
  std::jthread client([&] {
    while (!is_at_end(pair.client)) {
      got += drain(pair.client);
      std::this_thread::yield();
    }
  });
  Request request(pair.ours.fd());
  EXPECT_EQ(write(request, sent, in(patience)), Outcome::done);
  EXPECT_FALSE(request.parts.empty());
  ::shutdown(pair.ours.fd(), SHUT_WR);
  client.join();
  EXPECT_TRUE(got == sent) << got.size() << " bytes";
  waiter.forget(request);
}

TEST_F(BlockingWaiter, SeesAReset) {
  Pair pair = tcp_pair();
  Request request(pair.ours.fd());
  reset(pair.client);
  EXPECT_EQ(read(request), Outcome::failed);
  EXPECT_EQ(request.error, ECONNRESET);
  EXPECT_EQ(write(request, "anybody?"), Outcome::failed);
  waiter.forget(request);
}

TEST_F(BlockingWaiter, GoesOnAfterInterruptions) {
  const Pair pair = tcp_pair();
  Request request(pair.ours.fd());
  Request sleeper(-1);
  const Interruptions interruptions;
  const Time deadline = in(Millis{30});
  EXPECT_EQ(read(request, deadline), Outcome::timed_out);
  EXPECT_GE(Clock::now(), deadline);
  const Time end = in(Millis{30});
  start(waiter, sleeper, Kind::sleep, end);
  EXPECT_EQ(sleeper.outcome, Outcome::done);
  EXPECT_GE(Clock::now(), end);
  stuff(pair.ours);
  const Time last = in(Millis{30});
  EXPECT_EQ(write(request, std::string(100'000, 'x'), last), Outcome::timed_out);
  EXPECT_GE(Clock::now(), last);
  waiter.forget(request);
}

// How a drain ends a thread that blocks in recv(2).
TEST_F(BlockingWaiter, EndsAReadWhenTheConnectionIsShutDown) {
  const Pair pair = tcp_pair();
  Request request(pair.ours.fd());
  std::jthread other([&] { ::shutdown(pair.ours.fd(), SHUT_RDWR); });
  EXPECT_EQ(read(request), Outcome::end_of_stream);
  waiter.forget(request);
}

TEST_F(BlockingWaiter, IsWokenByASignal) {
  Request request(-1);
  std::jthread other([&] { waiter.signal(request); });
  start(waiter, request, Kind::signal);
  EXPECT_EQ(request.outcome, Outcome::done);
  start(waiter, request, Kind::signal, in(Millis{10}));
  EXPECT_EQ(request.outcome, Outcome::timed_out);
}

TEST_F(BlockingWaiter, LetsASleepAndAWaitBeCancelled) {
  Request request(-1);
  for (const Kind kind : {Kind::sleep, Kind::signal}) {
    std::jthread other([&] { waiter.cancel(request); });
    start(waiter, request, kind, in(std::chrono::hours{1}));
    EXPECT_EQ(request.outcome, Outcome::cancelled);
  }
}

TEST_F(BlockingWaiter, CancelsAllForGood) {
  Request request(-1);
  std::jthread other([&] { waiter.cancel_all(); });
  start(waiter, request, Kind::signal);
  EXPECT_EQ(request.outcome, Outcome::cancelled);
  start(waiter, request, Kind::sleep, in(std::chrono::hours{1}));
  EXPECT_EQ(request.outcome, Outcome::cancelled);
}
