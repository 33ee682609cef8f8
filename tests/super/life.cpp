#include "superd/super/life.h"

#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "tests/super/super_test.h"

using namespace superd;
using namespace superd::test;

namespace {

task<> echoes(Connection& client, Notes& notes) {
  ++notes.present;
  while (auto chunk = co_await client.read())
    if (!co_await client.write(chunk)) break;
}

/// What a program's descriptors 0, 1 and 2 are after it was started with some of them closed.
std::string standard_descriptors_without(const std::vector<int>& closed) {
  return in_child([&] {
    for (const int fd : closed) ::close(fd);
    if (!prepare_process()) return std::string("failed");
    std::string open;
    for (int fd = 0; fd <= 2; ++fd) open += ::fcntl(fd, F_GETFD) >= 0 ? "o" : "-";
    const Socket next(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return open + (next.fd() > 2 ? " and a socket is another" : " and a socket is one of them");
  });
}

/// In a child, for signals are the whole process's: serves with one client, lets `signals` happen, and returns the end.
template <class Signals>
std::string end_of_life(Millis patience, Signals signals) {
  return in_child([&]() -> std::string {
    if (!prepare_process()) return "failed";
    OwnService own(echoes);
    auto client = own.client();
    if (!soon([&] { return own.notes.present == 1; })) return "not served";
    std::jthread signalling([&] { signals(client); });
    const auto code = run_until_signalled(own.host, patience);
    return "exit " + std::to_string(static_cast<int>(code));
  });
}

void send_to_self(int signal) { ::kill(::getpid(), signal); }

constexpr Millis long_time = std::chrono::hours(1);

}  // namespace

TEST(PreparingTheProcess, OpensStandardDescriptorsThatAreClosed) {
  EXPECT_EQ(standard_descriptors_without({}), "ooo and a socket is another");
  EXPECT_EQ(standard_descriptors_without({0}), "ooo and a socket is another");
  EXPECT_EQ(standard_descriptors_without({1, 2}), "ooo and a socket is another");
  EXPECT_EQ(standard_descriptors_without({0, 1, 2}), "ooo and a socket is another");
}

TEST(PreparingTheProcess, SurvivesAPeerThatIsGone) {
  const auto told = in_child([] {
    (void)prepare_process();
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return std::string("no pipe");
    ::close(ends[0]);
    const auto written = ::write(ends[1], "x", 1);
    return std::string(written < 0 && errno == EPIPE ? "an error" : "written");
  });
  EXPECT_EQ(told, "an error");
}

TEST(TheLife, EndsByATermSignalWhenTheLastClientHasLeft) {
  EXPECT_EQ(end_of_life(long_time,
                        [](Socket& client) {
                          send_to_self(SIGTERM);
                          client.reset();
                        }),
            "exit 0");
}

TEST(TheLife, EndsByAnInterruptToo) {
  EXPECT_EQ(end_of_life(long_time,
                        [](Socket& client) {
                          client.reset();
                          send_to_self(SIGINT);
                        }),
            "exit 0");
}

TEST(TheLife, TellsThatSomebodyWasCut) {
  EXPECT_EQ(end_of_life(Millis{10}, [](Socket&) { send_to_self(SIGTERM); }), "exit 1");
}

TEST(TheLife, IsCutByASecondSignal) {
  EXPECT_EQ(end_of_life(long_time,
                        [](Socket&) {
                          send_to_self(SIGTERM);
                          // A signal that is pending already does not count twice.
                          soon([] {
                            sigset_t pending;
                            sigpending(&pending);
                            return sigismember(&pending, SIGTERM) == 0;
                          });
                          send_to_self(SIGTERM);
                        }),
            "exit 1");
}

TEST(TheLife, GoesOnAfterSignalsThatAreNoEnd) {
  EXPECT_EQ(end_of_life(long_time,
                        [](Socket& client) {
                          for (const int signal : {SIGHUP, SIGUSR2}) send_to_self(signal);
                          if (!send_text(client, "still there?") || received_text(client) != "still there?") return;
                          client.reset();
                          send_to_self(SIGTERM);
                        }),
            "exit 0");
}

TEST(TheDescriptorLimit, IsRaisedAsFarAsItMay) {
  const auto told = in_child([] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    raise_descriptor_limit({});
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return std::string(limit.rlim_cur == limit.rlim_max ? "raised" : "not raised");
  });
  EXPECT_EQ(told, "raised");
}
