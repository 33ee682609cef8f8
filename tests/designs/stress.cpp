// Conversations of all kinds at once under the designs that hand over, with every byte checked. Seconds for each way
// to serve: SUPERD_STRESS_SECONDS, or a short while.

#include <cstdlib>
#include <cstring>
#include <random>

#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

class UnderStress : public EveryWay {};
INSTANTIATE_TEST_SUITE_P(A, UnderStress, ::testing::ValuesIn(ways_that_change_hands()), name_of_case);

Millis duration() {
  const char* const seconds = std::getenv("SUPERD_STRESS_SECONDS");
  return seconds ? Millis{1'000 * std::atoi(seconds)} : Millis{700};
}

/// What a client wants next, as it stands on the wire.
struct Wish {
  enum Kind : std::uint32_t { echo, compute, sleep, kinds };
  std::uint32_t kind;
  std::uint32_t amount;  ///< bytes that follow and come back, microseconds, milliseconds
};

void compute_for(std::chrono::microseconds duration) {
  for (const Time until = Clock::now() + duration; Clock::now() < until;) {
  }
}

task<> grants(Connection& client, Notes&) {
  std::string bytes;
  for (Wish wish{};;) {
    const bool has_wish = co_await client.read_exactly(std::as_writable_bytes(std::span(&wish, 1)));
    if (!has_wish) co_return;
    bytes.resize(wish.kind == Wish::echo ? wish.amount : 0);
    const bool is_whole = co_await client.read_exactly(std::as_writable_bytes(std::span(bytes)));
    if (!is_whole) co_return;
    if (wish.kind == Wish::compute) compute_for(std::chrono::microseconds(wish.amount));
    const Millis rest{wish.kind == Wish::sleep ? wish.amount : 0};
    const bool slept = co_await client.sleep(rest);
    if (!slept) co_return;
    const std::string_view own(reinterpret_cast<const char*>(&wish), sizeof wish);
    if (!co_await client.write(own)) co_return;
    if (!co_await client.write(bytes)) co_return;
  }
}

task<> grants_datagram(Datagram& request, Notes&) {
  Wish wish{};
  std::memcpy(&wish, request.bytes().data(), sizeof wish);
  if (wish.kind == Wish::compute) compute_for(std::chrono::microseconds(wish.amount));
  const Millis rest{wish.amount};
  bool slept = true;
  if (wish.kind == Wish::sleep) slept = co_await request.sleep(rest);
  if (slept) request.reply(request.bytes());
}

class Client {
 public:
  Client(const Serving& serving, unsigned seed) : serving_(serving), random_(seed) {}

  /// True when every byte came back as it should.
  bool converses() {
    const auto client = serving_.client(0);
    for (int left = up_to(6); left > 0; --left) {
      const std::string sent = wish(100'000);
      // A whole pipe may be in the way of what is sent: sending and receiving go on side by side.
      std::jthread sending([&] { (void)send_all(client, sent); });
      if (received(client, sent.size()) != sent) return false;
    }
    if (up_to(3) == 0) return true;
    ::shutdown(client.fd(), SHUT_WR);
    return everything_from(client).empty();
  }

  /// True when each datagram was answered once, by what it was.
  bool asks() {
    const auto client = serving_.client(1);
    std::vector<std::string> sent, answers;
    for (int left = 1 + up_to(20); left > 0; --left) {
      sent.push_back(wish(500) + std::to_string(left));
      if (!send_text(client, sent.back())) return false;
    }
    for (std::size_t i = 0; i < sent.size(); ++i) answers.push_back(received_text(client).value_or("none"));
    std::ranges::sort(sent);
    std::ranges::sort(answers);
    return sent == answers;
  }

 private:
  int up_to(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }

  std::string wish(int most_bytes) {
    Wish wish{static_cast<std::uint32_t>(up_to(Wish::kinds - 1)), 0};
    if (wish.kind == Wish::echo) wish.amount = static_cast<std::uint32_t>(up_to(up_to(9) == 0 ? most_bytes : 100));
    if (wish.kind == Wish::compute) wish.amount = static_cast<std::uint32_t>(up_to(up_to(3) == 0 ? 5'000 : 100));
    if (wish.kind == Wish::sleep) wish.amount = static_cast<std::uint32_t>(up_to(5));
    std::string bytes(reinterpret_cast<const char*>(&wish), sizeof wish);
    if (wish.kind == Wish::echo)
      for (std::uint32_t i = 0; i < wish.amount; ++i) bytes += static_cast<char>(random_());
    return bytes;
  }
  static bool send_all(const Socket& client, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(client.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  static std::string received(const Socket& client, std::size_t size) {
    std::string all;
    while (all.size() < size) {
      const auto part = received_text(client);
      if (!part || part->empty()) break;
      all += *part;
    }
    return all;
  }

  const Serving& serving_;
  std::mt19937 random_;
};

}  // namespace

TEST_P(UnderStress, NoByteIsLostChangedOrServedTwice) {
  Limits limits;
  limits.level = limits.per_client = 200;
  auto settings = way();
  settings.threads = 16;
  Serving serving(settings, {"tcp/127.0.0.1:0", "udp/127.0.0.1:0"}, grants, grants_datagram, limits);
  constexpr unsigned clients = 8;
  std::atomic<int> conversations{0}, failures{0};
  {
    const Time until = Clock::now() + duration();
    std::vector<std::jthread> crowd;
    for (unsigned seed = 0; seed < clients; ++seed)
      crowd.emplace_back([&, seed] {
        for (Client client(serving, seed); Clock::now() < until && failures == 0; ++conversations)
          if (!(seed % 4 == 0 ? client.asks() : client.converses())) ++failures;
      });
  }
  EXPECT_EQ(failures, 0) << "of " << conversations << " conversations";
  EXPECT_GT(conversations, 20);
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
  EXPECT_EQ(serving.counted(&Counters::failed), 0U);
  EXPECT_LE(serving.design->report().threads, settings.threads);
  EXPECT_GT(serving.design->report().hand_overs, 0U) << "this has tested nothing";
}
