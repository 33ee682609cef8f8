#include <array>
#include <functional>

#include "tests/serve/stage.h"

using namespace superd;
using namespace superd::test;

namespace {

/// What a client does next: moves some bytes, after some time.
struct Step {
  Millis after;
  std::size_t bytes;
};

/// Waits for a client that is played, by a clock that is played too.
class Played final : public Waiter {
 public:
  explicit Played(std::function<Step()> client) : client_(std::move(client)) { set_now(Time{std::chrono::hours(1)}); }

  bool wait(Operation& operation) noexcept override {
    while (!moves(operation)) {
    }
    operation.kind = Kind::none;
    return true;
  }
  void forget(Operation&) noexcept override {}
  void signal(Operation&) noexcept override {}
  void cancel(Operation&) noexcept override {}

 private:
  // True when the operation is over.
  bool moves(Operation& operation) {
    const auto [after, bytes] = client_();
    if (now() + after >= operation.deadline) {
      set_now(operation.deadline);
      operation.outcome = Outcome::timed_out;
      return true;
    }
    set_now(now() + after);
    operation.outcome = Outcome::done;
    if (operation.kind == Kind::read) {
      operation.bytes = std::span(buffer_).first(bytes);
      return true;
    }
    const auto part = std::min(bytes, operation.bytes.size());
    operation.bytes = operation.bytes.subspan(part);
    operation.progressed(operation, part);
    return operation.bytes.empty();
  }

  std::function<Step()> client_;
  std::array<std::byte, 100'000> buffer_{};
};

struct Outcomes {
  End end;
  Millis duration;
  std::uint64_t bytes;
};

task<> reads(Connection& client) {
  while (const auto chunk = co_await client.read()) static_cast<void>(chunk);
}

task<> writes(Connection& client) {
  const std::string much(50'000, 'x');
  for (bool sent = true; sent;) sent = co_await client.write(much);
}

Outcomes play(task<> (*handler)(Connection&), std::function<Step()> client, const Limits& limits = {}) {
  Notes notes;
  const auto hosted = hosted_with(std::make_shared<Scripted>(notes, nullptr), limits);
  Played waiter(std::move(client));
  Connection connection(-1, waiter, *hosted);
  auto conversation = handler(connection);
  EXPECT_TRUE(conversation.begin());
  return {connection.end(), connection.duration(), connection.bytes_in() + connection.bytes_out()};
}

Outcomes play_steadily(task<> (*handler)(Connection&), Millis every, std::size_t bytes, const Limits& limits = {}) {
  return play(handler, [=] { return Step{every, bytes}; }, limits);
}

constexpr Millis hour = std::chrono::hours(1);

Limits with_rate(std::uint64_t rate) {
  Limits limits;
  limits.min_rate = rate;
  return limits;
}

}  // namespace

TEST(AClientsPatience, EndsAfterAMinuteOfSilence) {
  const auto [end, duration, bytes] = play_steadily(reads, hour, 1);
  EXPECT_EQ(end, End::idle);
  EXPECT_EQ(duration, Millis(60'000));
}

TEST(AClientsPatience, LastsForAPersonWhoTypesAByteASecond) {
  const auto [end, duration, bytes] = play_steadily(reads, Seconds(1), 1);
  EXPECT_EQ(end, End::too_long) << "nothing but `total` ends it";
  EXPECT_EQ(duration, hour);
  EXPECT_EQ(bytes, 3599U);
}

TEST(AClientsPatience, EndsForAByteEveryTenSecondsAfterAMinute) {
  const auto [end, duration, bytes] = play_steadily(reads, Seconds(10), 1);
  EXPECT_EQ(end, End::slow);
  EXPECT_EQ(duration, Seconds(60) + bytes * Seconds(1));
  EXPECT_EQ(bytes, 6U);
}

TEST(AClientsPatience, IsWholeAgainAfterManyBytes) {
  int step = 0;
  const auto [end, duration, bytes] = play(reads, [&] {
    ++step;
    if (step == 1) return Step{Seconds(59), 1};
    if (step == 2) return Step{Millis(10), 100};
    return Step{hour, 1};
  });
  EXPECT_EQ(end, End::idle) << "silent, not slow: it had earned its minute again";
  EXPECT_EQ(duration, Millis(59'000 + 10 + 60'000));
}

TEST(AClientsPatience, IsNeverMoreThanIdle) {
  int step = 0;
  const auto [end, duration, bytes] =
      play(reads, [&] { return ++step == 1 ? Step{Millis(10), 100'000} : Step{hour, 1}; });
  EXPECT_EQ(end, End::idle);
  EXPECT_EQ(duration, Millis(10 + 60'000));
}

TEST(AClientsPatience, IsTakenAlikeFromWhoTakesNothing) {
  const auto [end, duration, bytes] = play_steadily(writes, hour, 1);
  EXPECT_EQ(end, End::idle);
  EXPECT_EQ(duration, Millis(60'000));
}

TEST(AClientsPatience, EndsForWhoTakesAByteEveryTenSeconds) {
  const auto [end, duration, bytes] = play_steadily(writes, Seconds(10), 1);
  EXPECT_EQ(end, End::slow);
  EXPECT_EQ(duration, Millis(66'000));
  EXPECT_EQ(bytes, 6U);
}

TEST(AClientsPatience, LastsForWhoTakesAboveTheRate) {
  const auto [end, duration, bytes] = play_steadily(writes, Seconds(1), 1'001, with_rate(1'000));
  EXPECT_EQ(end, End::too_long);
}

TEST(AClientsPatience, EndsForWhoTakesBelowTheRate) {
  const auto [end, duration, bytes] = play_steadily(writes, Seconds(1), 900, with_rate(1'000));
  EXPECT_EQ(end, End::slow);
  EXPECT_LT(duration, Seconds(660)) << "a tenth of each second is taken from a minute";
}

TEST(TheTotal, EndsTheBusiest) {
  Limits limits;
  limits.total = Seconds(90);
  for (auto* const handler : {reads, writes}) {
    const auto [end, duration, bytes] = play_steadily(handler, Millis(1), 10'000, limits);
    EXPECT_EQ(end, End::too_long);
    EXPECT_EQ(duration, Seconds(90));
  }
}

TEST(TheTotal, EndsWhoIsServedInNoTime) {
  Limits limits;
  limits.total = Millis(10);
  int step = 0;
  const auto [end, duration, bytes] =
      play(writes, [&] { return Step{Millis(++step % 100 == 0 ? 1 : 0), 100'000}; }, limits);
  EXPECT_EQ(end, End::too_long);
}

TEST(TheTotal, IsNamedRatherThanIdleWhenBothAreReached) {
  Limits limits;
  limits.total = limits.idle;
  EXPECT_EQ(play_steadily(reads, hour, 1, limits).end, End::too_long);
}
