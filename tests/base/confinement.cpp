// What each confinement forbids is tried by a program that would succeed without it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "superd/base/launcher.h"
#include "superd/base/may_launch.h"
#include "superd/base/seccomp.h"

using namespace superd;

namespace {

Launch shell(const std::string& script) {
  Launch wanted;
  wanted.words = {"/bin/sh", "-c", script};
  wanted.environment = {"PATH=/usr/bin:/bin:/usr/sbin"};
  return wanted;
}

std::string said_by(const Launch& wanted) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  auto launcher = Launcher::make(wanted, "test");
  const auto started =
      launcher ? launcher->start({nothing, ends[1], ends[1]}) : Result<Spawned>(std::unexpected(launcher.error()));
  ::close(ends[1]);
  ::close(nothing);
  std::string said = started ? "" : started.error().what;
  char room[4096];
  for (ssize_t size; (size = ::read(ends[0], room, sizeof room)) > 0;)
    said.append(room, static_cast<std::size_t>(size));
  ::close(ends[0]);
  if (!started) return said;
  ::waitpid(started->process, nullptr, 0);
  if (started->pidfd >= 0) ::close(started->pidfd);
  return said;
}

constexpr Launch::Identity somebody() { return {.name = "it", .user = 12345, .group = 23456, .groups = {23456}}; }

std::string python(const std::string& script) { return "/usr/bin/python3 -c '" + script + "' 2>&1 | tail -n 1"; }

bool is_root() { return ::geteuid() == 0; }

class AConfinedProgram : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("confinement-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_ / "open");
    std::filesystem::create_directories(folder_ / "closed");
    std::ofstream(folder_ / "open/file") << "text";
    std::ofstream(folder_ / "closed/file") << "secret";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string at(const std::string& path) const { return (folder_ / path).string(); }

  std::filesystem::path folder_;
};

}  // namespace

TEST_F(AConfinedProgram, HasTheGroupsItWasGivenInsteadOfItsUsers) {
  if (!is_root()) GTEST_SKIP() << "only root may setgroups(2)";
  auto wanted = shell("id -G");
  wanted.identity = somebody();
  wanted.confinement.groups = {
      {{"one", 34567}, {"two", 45678}}
  };
  EXPECT_EQ(said_by(wanted), "23456 34567 45678\n");
}

TEST_F(AConfinedProgram, HasTheCapabilitiesItWasGivenAndNoOthers) {
  if (!is_root()) GTEST_SKIP() << "only root can give capabilities";
  auto wanted = shell("grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status | tr '\\n' ' '");
  wanted.confinement.capabilities = {CAP_NET_BIND_SERVICE, CAP_KILL};
  const std::string four =
      "CapPrm:\t0000000000000420 CapEff:\t0000000000000420 CapBnd:\t0000000000000420 CapAmb:\t0000000000000420 ";
  EXPECT_EQ(said_by(wanted), four);
  wanted.identity = somebody();
  EXPECT_EQ(said_by(wanted), four);
}

TEST_F(AConfinedProgram, OpensOnlyWhatItsPathsHold) {
  if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  auto wanted =
      shell("cd " + folder_.string() +
            "; cat open/file; echo; cat closed/file 2>/dev/null || echo closed; echo x 2>/dev/null > open/new "
            "|| echo unwritten; ls closed 2>/dev/null || echo unlisted");
  wanted.confinement.read_paths = {at("open"), "/dev/null"};
  wanted.confinement.execute_paths = {"/usr", "/bin", "/lib", "/lib64"};
  wanted.confinement.write_paths = {"/dev/null"};
  EXPECT_EQ(said_by(wanted), "text\nclosed\nunwritten\nunlisted\n");
  wanted.confinement.write_paths = {at("open"), "/dev/null"};
  EXPECT_EQ(said_by(wanted), "text\nclosed\nunlisted\n");
  EXPECT_TRUE(std::filesystem::exists(folder_ / "open/new"));
}

TEST_F(AConfinedProgram, ExecutesOnlyWhatItsPathsHold) {
  if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  auto wanted = shell("true");
  wanted.confinement.read_paths = {"/"};
  EXPECT_EQ(said_by(wanted), "execve for /bin/sh: permission denied");
  wanted.confinement.execute_paths = {at("nonesuch")};
  EXPECT_EQ(said_by(wanted), "open for landlock " + at("nonesuch") + " for /bin/sh: no such file or directory");
}

TEST_F(AConfinedProgram, FindsWhatHasReplacedAPathSinceTheLauncherWasMade) {
  if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  auto wanted = shell("cat " + at("open/file") + " || echo gone");
  wanted.confinement.read_paths = {at("open")};
  wanted.confinement.execute_paths = {"/usr", "/bin", "/lib", "/lib64"};
  auto launcher = Launcher::make(wanted);
  ASSERT_TRUE(launcher) << launcher.error().what;
  std::filesystem::rename(folder_ / "open", folder_ / "before");
  std::filesystem::create_directory(folder_ / "open");
  std::ofstream(folder_ / "open/file") << "another";
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const auto started = launcher->start({ends[0], ends[1], ends[1]});
  ASSERT_TRUE(started) << started.error().what;
  ::close(ends[1]);
  ::waitpid(started->process, nullptr, 0);
  char room[100];
  const ssize_t size = ::read(ends[0], room, sizeof room);
  EXPECT_EQ(std::string(room, static_cast<std::size_t>(size)), "another");
  ::close(ends[0]);
  ::close(started->pidfd);
}

TEST_F(AConfinedProgram, MakesNoSocketsButLocalOnesWithoutNetwork) {
  auto wanted =
      shell(python("import socket; socket.socket(socket.AF_UNIX); print(\"local\", flush=True); socket.socket()"));
  EXPECT_EQ(said_by(wanted), "local\n");
  wanted.confinement.filters = {Confinement::Filter::no_network};
  EXPECT_EQ(said_by(wanted), "PermissionError: [Errno 1] Operation not permitted\n");
}

TEST_F(AConfinedProgram, ExecutesNothingElseWithoutNewPrograms) {
  auto wanted = shell("echo begun; /bin/true && echo more; echo $?");
  wanted.confinement.filters = {Confinement::Filter::no_new_programs};
  const auto said = said_by(wanted);
  EXPECT_TRUE(said.starts_with("begun\n")) << said;
  EXPECT_TRUE(said.ends_with("126\n")) << said;
}

TEST_F(AConfinedProgram, MakesNoDangerousCalls) {
  if (!is_root()) GTEST_SKIP() << "only root could";
  auto wanted =
      shell("unshare -n true 2>/dev/null && echo unshared; chroot / true 2>/dev/null && echo chrooted; echo end");
  EXPECT_EQ(said_by(wanted), "unshared\nchrooted\nend\n");
  wanted.confinement.filters = {Confinement::Filter::confined, Confinement::Filter::no_network};
  EXPECT_EQ(said_by(wanted), "end\n");
}

TEST_F(AConfinedProgram, SharesItsGroupsProcesses) {
  if (!is_root()) GTEST_SKIP() << "only root may make a control group here";
  auto wanted = shell("for i in 1 2 3 4 5 6; do sleep 0.2 & done; echo done; wait");
  wanted.share.processes = 3;
  auto made = ControlGroup::make("probe", wanted.share);
  if (!made) GTEST_SKIP() << made.error().what;
  EXPECT_NE(said_by(wanted).find("fork"), std::string::npos) << said_by(wanted);
  wanted.share.processes = 30;
  EXPECT_EQ(said_by(wanted), "done\n");
}

TEST_F(AConfinedProgram, SharesItsGroupsMemory) {
  if (!is_root()) GTEST_SKIP() << "only root may make a control group here";
  auto wanted = shell("/usr/bin/python3 -c 'x = b\"x\" * (200 << 20)' 2>/dev/null && echo had");
  EXPECT_EQ(said_by(wanted), "had\n");
  wanted.share.memory = 40 << 20;
  if (auto made = ControlGroup::make("probe", wanted.share); !made) GTEST_SKIP() << made.error().what;
  EXPECT_EQ(said_by(wanted).find("had"), std::string::npos);
}

TEST(TheVersionsOfLandlock, LeaveLessAndLessOpen) {
  EXPECT_EQ(landlock_leaves_open(1), "truncate(2) of files, ioctl of devices");
  EXPECT_EQ(landlock_leaves_open(2), landlock_leaves_open(1));
  EXPECT_EQ(landlock_leaves_open(3), "ioctl of devices");
  EXPECT_EQ(landlock_leaves_open(4), landlock_leaves_open(3));
  EXPECT_EQ(landlock_leaves_open(5), "");
  EXPECT_EQ(landlock_leaves_open(99), "");
}

TEST(ControlGroups, AreFoundWhereTheProcessIs) {
  constexpr std::string_view mounts =
      "25 20 0:22 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
      "26 20 0:23 /box /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
      "27 20 0:24 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "28 20 0:25 / /proc rw - proc proc rw\n";
  constexpr std::string_view own = "4:memory:/a/b\n2:cpu,cpuacct:/box/inner\n0::/\n";
  EXPECT_EQ(find_hierarchies(mounts, own), (std::vector<Hierarchy>{
                                               {"/sys/fs/cgroup/memory/a/b", "rw,memory"     },
                                               {"/sys/fs/cgroup/cpu/inner",  "rw,cpu,cpuacct"},
                                               {"/sys/fs/cgroup/unified",    ""              }
  }));
}

TEST(RightsThatAreMissing, AreNamedByTheirKey) {
  if (!is_root()) GTEST_SKIP() << "only root can give rights up";
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(12345) != 0 || ::setuid(12345) != 0) ::_exit(9);
    int wrong = 0;
    const auto expect = [&wrong](const Launch& wanted, std::string_view key) {
      const auto may = may_launch(wanted);
      wrong += may || !may.error().what.starts_with(std::string(key) + ":");
    };
    Launch wanted = shell("true");
    wanted.identity = somebody();
    expect(wanted, "user");
    wanted.identity->user = wanted.identity->group = 12345;
    wrong += !may_launch(wanted);
    wanted.root = "/srv";
    expect(wanted, "root");
    wanted = shell("true");
    wanted.nice = -3;
    expect(wanted, "nice");
    wanted = shell("true");
    wanted.confinement.capabilities = {CAP_KILL};
    expect(wanted, "capabilities");
    wanted = shell("true");
    wanted.confinement.groups.emplace();
    expect(wanted, "user_groups");
    ::_exit(wrong);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}
