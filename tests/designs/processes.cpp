#include <sys/prctl.h>

#include <csignal>

#include "tests/designs/designs_test.h"

using namespace superd;
using namespace superd::test;

namespace {

std::vector<DesignSettings> forking_ways() {
  auto ways = ways_to_serve();
  std::erase_if(ways, [](const auto& way) { return !forks(way); });
  return ways;
}

class AProcess : public EveryWayAndTransport {};
INSTANTIATE_TEST_SUITE_P(Under, AProcess, with_transports(forking_ways()), name_of_combination);

class AStreamProcess : public EveryWayAndTransport {};
INSTANTIATE_TEST_SUITE_P(Under, AStreamProcess, with_streams(forking_ways()), name_of_combination);

class ADesignThatForks : public EveryWay {};
INSTANTIATE_TEST_SUITE_P(Under, ADesignThatForks, ::testing::ValuesIn(forking_ways()), name_of_case);

/// Echoes; dies by the signal, or with the exit code, that the text asks for.
void obey(std::string_view text) {
  if (text == "segv") ::raise(SIGSEGV);
  if (text == "kill") ::raise(SIGKILL);
  if (text == "exit") ::_exit(3);
}
task<> dies_when_told(Connection& client, Notes& notes) {
  ++notes.present;
  while (auto chunk = co_await client.read()) {
    obey(chunk.text());
    if (!co_await client.write(chunk)) break;
  }
}
task<> datagram_dies_when_told(Datagram& request, Notes&) {
  const auto bytes = request.bytes();
  obey({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  request.reply(bytes);
  co_return;
}

/// The process that serves tells its number.
task<> tells_its_process(Connection& client, Notes&) {
  const auto number = std::to_string(::getpid());
  while (auto chunk = co_await client.read())
    if (!co_await client.write(number)) break;
}

pid_t process_of(const Socket& client) {
  if (!send_text(client, "who?")) return -1;
  return static_cast<pid_t>(std::stol(received_text(client).value_or("-1")));
}

/// Orphans of this process's children come to it.
class Subreaper {
 public:
  Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  ~Subreaper() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }
};

/// As whoever owns designs does: what workers had whose supervisor died is given back when they are reaped.
void tend(Serving& serving) {
  (void)serving.design->tend();
  for (pid_t orphan; (orphan = ::waitpid(-1, nullptr, WNOHANG)) > 0;)
    (void)serving.hosted->level.release_process(static_cast<std::uint32_t>(orphan));
}

/// Somebody is there who serves; does not wait for one.
bool is_served(const Serving& serving) {
  const auto client = serving.client();
  if (!send_text(client, "who?")) return false;
  constexpr int moment_ms = 50;
  pollfd answer{.fd = client.fd(), .events = POLLIN, .revents = 0};
  char bytes[16];
  return ::poll(&answer, 1, moment_ms) == 1 && ::recv(client.fd(), bytes, sizeof bytes, 0) > 0;
}

}  // namespace

TEST_P(AProcess, ThatDiesCostsItsConversationAlone) {
  Serving serving(way(), {where()}, dies_when_told, datagram_dies_when_told);
  const auto other = serving.client();
  ASSERT_TRUE(send_text(other, "before"));
  ASSERT_EQ(received_text(other), "before");
  std::uint64_t dead = 0;
  for (const auto* how : {"segv", "kill", "exit"}) {
    const auto unlucky = serving.client();
    ASSERT_TRUE(send_text(unlucky, how));
    ++dead;
    EXPECT_TRUE(soon([&] { return serving.counted(&Counters::crashed) == dead; })) << how;
    if (!is_datagrams()) {
      EXPECT_TRUE(is_closed_by_peer(unlucky)) << how;
    }
    ASSERT_TRUE(send_text(other, how + 1));
    EXPECT_EQ(received_text(other), how + 1) << "the other one goes on";
  }
  EXPECT_EQ(serving.counted(&Counters::failed), 0U);
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == (is_datagrams() ? 0 : 1); }));
}

TEST_P(AStreamProcess, ThatIsKilledGivesItsPlaceBack) {
  Limits limits;
  limits.level = limits.per_client = 2;
  Serving serving(way(), {where()}, tells_its_process, nullptr, limits);
  for (int i = 0; i < 6; ++i) {
    const auto one = serving.client(), other = serving.client();
    const auto first = process_of(one), second = process_of(other);
    ASSERT_GT(first, 0);
    ASSERT_GT(second, 0);
    EXPECT_EQ(serving.hosted->level.count(), 2);
    ::kill(first, SIGKILL);
    EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 1; }));
    EXPECT_EQ(process_of(other), second);
    ::kill(second, SIGKILL);
    EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
  }
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::crashed) == 12; }));
  EXPECT_EQ(serving.hosted->level.peak(), 2);
}

TEST_P(AProcess, LevelAndSharesAreExactUnderManyClients) {
  Limits limits;
  limits.level = 5;
  limits.per_client = 5;
  auto narrow = way();
  narrow.workers = 12;
  Serving serving(
      narrow, {where()},
      [](Connection& client, Notes& notes) -> task<> {
        constexpr Millis moment{2};
        if (++notes.present > 5) notes.add("too many");
        co_await client.sleep(moment);
        --notes.present;
        ++notes.finished;
      },
      [](Datagram& request, Notes& notes) -> task<> {
        constexpr Millis moment{2};
        if (++notes.present > 5) notes.add("too many");
        co_await request.sleep(moment);
        --notes.present;
        ++notes.finished;
      },
      limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(serving.client());
    if (is_datagrams()) {
      ASSERT_TRUE(send_text(clients.back(), "?"));
    }
  }
  EXPECT_TRUE(soon(
      [&] { return serving.notes.finished + static_cast<int>(serving.counted(&Counters::dropped_client)) == 100; }));
  EXPECT_EQ(serving.notes.count(), 0U);
  EXPECT_LE(serving.hosted->level.peak(), 5);
  EXPECT_TRUE(soon([&] { return serving.hosted->level.count() == 0; }));
}

TEST_P(AStreamProcess, RefusesWhatIsOverAClientsShare) {
  Limits limits;
  limits.level = 8;
  limits.per_client = 3;
  Serving serving(way(), {where()}, tells_its_process, nullptr, limits);
  std::vector<Socket> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(serving.client());
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::refused_client) == 3; }));
  EXPECT_EQ(serving.hosted->level.count(), 3);
}

TEST_P(AStreamProcess, HoldsNoDescriptorOfOthers) {
  Serving serving(way(), {where(), "udp/127.0.0.1:0"}, [](Connection& client, Notes& notes) -> task<> {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;
      const auto what = std::filesystem::read_symlink(entry.path(), gone).string();
      if (std::stoi(entry.path().filename()) > 2 && what.starts_with("socket:")) notes.add(what);
    }
    constexpr std::string_view done = "done";
    co_await client.write(done);
  });
  const auto client = serving.client();
  ASSERT_EQ(received_text(client), "done");
  // Its connection; and the socket that it accepts from, where it does that itself.
  EXPECT_EQ(serving.notes.count(), way().design == "preforked" ? 2U : 1U);
}

TEST_P(AStreamProcess, HasNoSignalBlockedOrHandled) {
  Serving serving(way(), {where()}, [](Connection& client, Notes& notes) -> task<> {
    sigset_t blocked;
    ::sigprocmask(SIG_SETMASK, nullptr, &blocked);
    struct sigaction action{};
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
      if (::sigismember(&blocked, signal) == 1) notes.add("blocked " + std::to_string(signal));
      ::sigaction(signal, nullptr, &action);
      const bool is_ours = signal == SIGURG;
      if (!is_ours && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)
        notes.add("handled " + std::to_string(signal));
    }
    constexpr std::string_view done = "done";
    co_await client.write(done);
  });
  const auto client = serving.client();
  ASSERT_EQ(received_text(client), "done");
  EXPECT_EQ(serving.notes.all(), std::vector<std::string>{});
}

TEST_P(ADesignThatForks, RefusesToForkAProcessWithThreads) {
  std::jthread other([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::sleep_for(Millis{1});
  });
  try {
    const Serving serving(way(), {"tcp/127.0.0.1:0"}, echoes_stream);
    FAIL() << "opened";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("this process has 2 threads"), std::string::npos) << error.what();
  }
}

TEST_P(ADesignThatForks, StartsAnewWhatWasKilled) {
  const Subreaper here;
  Serving serving(way(), {"tcp/127.0.0.1:0"}, tells_its_process);
  for (int i = 0; i < 3; ++i) {
    const auto client = serving.client();
    ASSERT_GT(process_of(client), 0);
    const auto before = children_of(::getpid());
    ASSERT_EQ(before.size(), 1U);
    ::kill(before.front(), SIGKILL);
    EXPECT_TRUE(is_closed_by_peer(client)) << "its children die with it";
    EXPECT_TRUE(soon([&] {
      tend(serving);
      return is_served(serving);
    }));
    // None but the new one, with nobody to serve.
    EXPECT_TRUE(soon([&] {
      tend(serving);
      return serving.hosted->level.count() == 0 && children_of(::getpid()).size() == 1;
    }));
  }
  const auto client = serving.client();
  EXPECT_GT(process_of(client), 0);
}

TEST_P(ADesignThatForks, ClosesWhenItsProcessesWereKilled) {
  Serving serving(way(), {"tcp/127.0.0.1:0"}, tells_its_process);
  ::kill(children_of(::getpid()).at(0), SIGKILL);
  EXPECT_TRUE(serving.closes());
}

TEST(PreforkedWorkers, AreReplacedAfterAPauseWhenTheyDieAgainAndAgain) {
  Serving serving({.design = "preforked", .workers = 2}, {"udp/127.0.0.1:0"}, nullptr, datagram_dies_when_told);
  const auto client = serving.client();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(send_text(client, "segv"));
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::crashed) == 5; }));
  EXPECT_TRUE(soon([&] { return serving.counted(&Counters::held_back) == 3; }));
  ASSERT_TRUE(send_text(client, "hello"));
  EXPECT_EQ(received_text(client), "hello");
}
