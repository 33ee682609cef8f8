#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "superd/base/launcher.h"

using namespace superd;

namespace {

struct Ended {
  std::string said;
  int status;
};

/// What a program writes to its standard output, and how it ends.
Ended run(const Launch& wanted, std::span<const std::string> more = {}) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {"no pipe", -1};
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  auto launcher = Launcher::make(wanted);
  const auto started = launcher ? launcher->start({nothing, ends[1], ends[1]}, more)
                                : Result<Spawned>(std::unexpected(launcher.error()));
  ::close(ends[1]);
  ::close(nothing);
  Ended ended{started ? "" : started.error().what, -1};
  char room[4096];
  for (ssize_t size; (size = ::read(ends[0], room, sizeof room)) > 0;)
    ended.said.append(room, static_cast<std::size_t>(size));
  ::close(ends[0]);
  if (started) ::waitpid(started->process, &ended.status, 0);
  if (started && started->pidfd >= 0) ::close(started->pidfd);
  return ended;
}

Launch shell(const std::string& script) {
  Launch wanted;
  wanted.words = {"/bin/sh", "-c", script};
  wanted.environment = {"PATH=/usr/bin:/bin"};
  return wanted;
}

std::string said_by(const std::string& script) { return run(shell(script)).said; }

}  // namespace

TEST(AProgram, IsGivenItsWordsAndItsEnvironmentAlone) {
  Launch wanted;
  wanted.words = {"/usr/bin/printf", "%s|", "two words", "", "it's"};
  EXPECT_EQ(run(wanted).said, "two words||it's|");
  wanted.words = {"/usr/bin/env"};
  wanted.environment = {"A=1", "B=2 3"};
  const std::vector<std::string> more{"C=4"};
  EXPECT_EQ(run(wanted, more).said, "A=1\nB=2 3\nC=4\n");
}

TEST(AProgram, EndsAsItEnds) {
  EXPECT_EQ(run(shell("exit 7")).status, 7 << 8);
  EXPECT_EQ(run(shell("kill -SEGV $$")).status & 0x7f, SIGSEGV);
}

TEST(AProgram, ThatCannotRunIsAnErrorThatSaysWhatFailed) {
  Launch wanted;
  wanted.words = {"/bin/nonesuch"};
  EXPECT_EQ(run(wanted).said, "execve for /bin/nonesuch: no such file or directory");
  wanted.words = {"/etc/passwd"};
  EXPECT_EQ(run(wanted).said, "execve for /etc/passwd: permission denied");
  wanted = shell("true");
  wanted.directory = "/nonesuch";
  EXPECT_EQ(run(wanted).said, "chdir for /bin/sh: no such file or directory");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

TEST(AProgram, HasNoDescriptorOfOurs) {
  const int ours = ::open("/dev/null", O_RDONLY);  // as a library may, without O_CLOEXEC
  const auto listed = said_by("ls /proc/self/fd");
  ::close(ours);
  EXPECT_EQ(listed, "0\n1\n2\n3\n");  // the last one is of ls itself
}

TEST(AProgram, MayHaveStreamsThatAreOneAnothersNumbers) {
  // 0, 1 and 2 of the test, in another order: none is overwritten before it was copied.
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  auto launcher = Launcher::make(shell("echo out; echo error >&2"));
  ASSERT_TRUE(launcher) << launcher.error().what;
  const auto started = launcher->start({2, ends[1], ends[1]});
  ASSERT_TRUE(started) << started.error().what;
  ::close(ends[1]);
  ::close(started->pidfd);
  ::waitpid(started->process, nullptr, 0);
  char room[100];
  const ssize_t size = ::read(ends[0], room, sizeof room);
  ::close(ends[0]);
  EXPECT_EQ(std::string(room, static_cast<std::size_t>(std::max<ssize_t>(size, 0))), "out\nerror\n");
}

TEST(AProgram, HasNoSignalBlockedOrIgnored) {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &some, &before);
  const auto said = said_by("grep -E 'SigBlk|SigIgn' /proc/self/status");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(said, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(AProgram, HasWhatItWasGivenOfEverythingElse) {
  auto wanted = shell(
      "pwd; umask; nice; ulimit -n; ulimit -c; grep NoNewPrivs /proc/self/status; ps -o pgid= -p $$ | "
      "grep -q \"^ *$$\\$\" && echo leads");
  wanted.directory = "/usr/share";
  wanted.mask = 0077;
  wanted.nice = 3;
  wanted.bounds = {
      {RLIMIT_NOFILE, 77},
      {RLIMIT_CORE,   0 }
  };
  wanted.no_new_privileges = true;
  const auto nice = std::to_string(::getpriority(PRIO_PROCESS, 0) + 3);
  EXPECT_EQ(run(wanted).said, "/usr/share\n0077\n" + nice + "\n77\n0\nNoNewPrivs:\t1\nleads\n");
}

TEST(AProgram, HasTheRightsOfWhomItRunsAs) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  auto wanted = shell("id -u; id -g; id -G; grep -E '^(Uid|Gid|CapEff)' /proc/self/status");
  wanted.identity = {
      .name = "it", .user = 12345, .group = 23456, .groups = {23456, 34567}
  };
  EXPECT_EQ(run(wanted).said,
            "12345\n23456\n23456 34567\nUid:\t12345\t12345\t12345\t12345\nGid:\t23456\t23456\t23456\t23456\n"
            "CapEff:\t0000000000000000\n");
}

TEST(AProgram, SeesNothingOutsideOfItsRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may chroot(2)";
  auto wanted = shell("true");
  wanted.root = "/proc/self";
  EXPECT_EQ(run(wanted).said, "execve for /bin/sh: no such file or directory");
}

TEST(AProgram, RunsWithWhateverTheKernelHasOfClone) {
  // In another process, for what is lowered stays low.
  for (const auto level : {SpawnLevel::clone3, SpawnLevel::pidfd, SpawnLevel::plain}) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGPIPE, SIG_IGN);
      lower_spawn_level(level);
      const auto ended = run(shell("grep -E 'SigBlk|SigIgn' /proc/self/status"));
      const bool right = ended.said == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";
      ::_exit(right && spawn_level() == level && ended.status == 0 ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << "level " << static_cast<int>(level);
  }
}

TEST(AProgram, IsGivenListenersAsSystemdDoes) {
  int ends[2], door[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(door, O_CLOEXEC), 0);
  auto launcher = Launcher::make(shell("test $LISTEN_PID = $$ && echo $LISTEN_FDS; ls /proc/self/fd | tr '\\n' ' '"));
  ASSERT_TRUE(launcher) << launcher.error().what;
  // In an order that would overwrite the one with the other.
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const std::vector<int> listeners{door[1], door[0], door[1]};
  const auto started = launcher->start({nothing, ends[1], ends[1]}, {}, listeners);
  ASSERT_TRUE(started) << started.error().what;
  for (const int fd : {ends[1], door[0], door[1], nothing, started->pidfd}) ::close(fd);
  std::string said(100, '\0');
  const auto all = [&] {
    ssize_t got = 0, size = 0;
    while ((got = ::read(ends[0], said.data() + size, said.size() - static_cast<std::size_t>(size))) > 0) size += got;
    said.resize(static_cast<std::size_t>(size));
    return said;
  };
  EXPECT_EQ(all(), "3\n0 1 2 3 4 5 6 ");  // the last one is of ls itself
  ::close(ends[0]);
  ::waitpid(started->process, nullptr, 0);
}

TEST(AProgram, HasAPidfdWhereTheKernelGivesOne) {
  auto launcher = Launcher::make(shell("exec sleep 1000"));
  ASSERT_TRUE(launcher);
  const auto started = launcher->start({0, 1, 2});
  ASSERT_TRUE(started);
  if (started->pidfd < 0) GTEST_SKIP() << "this kernel has none";
  EXPECT_EQ(::syscall(SYS_pidfd_send_signal, started->pidfd, SIGKILL, nullptr, 0), 0);
  int status = 0;
  ::waitpid(started->process, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  ::close(started->pidfd);
}
