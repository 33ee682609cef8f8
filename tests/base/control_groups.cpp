// What a share becomes in each version of control groups: written into a tree of plain files, whatever this machine has;
// and what this machine has, where a test may make groups in it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "superd/base/control_group.h"
#include "superd/base/spawn.h"

using namespace superd;

namespace {

namespace files = std::filesystem;

std::string text_of(const files::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A hierarchy as the kernel shows one, of plain files, which goes with the test. The kernel fills a new group with
/// files by itself; here they are there before.
class FakeHierarchy {
 public:
  explicit FakeHierarchy(const std::string& name, std::initializer_list<std::string_view> files_of_group)
      : folder(::testing::TempDir() + "superd-cgroup-" + std::to_string(getpid()) + "-" + name),
        group(folder / ("superd." + std::to_string(getpid()) + ".it")) {
    files::create_directories(group);
    for (const auto file : files_of_group) std::ofstream(group / file);
  }
  FakeHierarchy(const FakeHierarchy&) = delete;
  FakeHierarchy& operator=(const FakeHierarchy&) = delete;
  ~FakeHierarchy() { files::remove_all(folder); }

  [[nodiscard]] Hierarchy of_first(std::string_view controllers) const { return {folder.string(), controllers}; }
  /// Version 2, with these controllers.
  [[nodiscard]] Hierarchy of_second(std::string_view controllers) const {
    std::ofstream(folder / "cgroup.controllers") << controllers << '\n';
    std::ofstream(folder / "cgroup.subtree_control");
    return {folder.string(), {}};
  }
  [[nodiscard]] std::string written(std::string_view file) const { return text_of(group / file); }

  const files::path folder, group;
};

constexpr Share everything() { return {.memory = 1 << 20, .processes = 30, .cpu = 150}; }

bool is_root() { return ::geteuid() == 0; }

/// Of this machine, where a test may make a group there.
std::optional<Hierarchy> own_hierarchy(std::string_view controller) {
  static const std::string mounts = text_of("/proc/self/mountinfo"), own = text_of("/proc/self/cgroup");
  for (const auto& hierarchy : find_hierarchies(mounts, own)) {
    const bool fits = controller.empty() ? hierarchy.controllers.empty()
                                         : hierarchy.controllers.find(controller) != std::string_view::npos;
    if (fits && ::access(hierarchy.folder.c_str(), W_OK) == 0) return hierarchy;
  }
  return std::nullopt;
}

int wait_for_ever(void*) {
  for (;;) ::pause();
}

}  // namespace

TEST(AControlGroup, HasADirectoryForEachControllerInVersion1) {
  const FakeHierarchy memory("memory", {"memory.limit_in_bytes", "tasks"}), pids("pids", {"pids.max", "tasks"}),
      cpu("cpu", {"cpu.cfs_quota_us", "tasks"});
  const std::array all{memory.of_first("rw,memory"), pids.of_first("rw,pids"), cpu.of_first("rw,cpu,cpuacct")};
  const auto made = ControlGroup::make("it", everything(), all);
  ASSERT_TRUE(made.has_value()) << made.error().what;
  EXPECT_EQ(memory.written("memory.limit_in_bytes"), "1048576");
  EXPECT_EQ(pids.written("pids.max"), "30");
  EXPECT_EQ(cpu.written("cpu.cfs_quota_us"), "150000");
  EXPECT_EQ(made->entries().size(), 3U) << "one to go into for each";
  EXPECT_EQ(made->birthplace(), -1);
}

TEST(AControlGroup, HasOneDirectoryInVersion2) {
  const FakeHierarchy unified("unified", {"memory.max", "pids.max", "cpu.max", "cgroup.procs"});
  const std::array all{unified.of_second("cpuset cpu io memory pids")};
  const auto made = ControlGroup::make("it", everything(), all);
  ASSERT_TRUE(made.has_value()) << made.error().what;
  EXPECT_EQ(unified.written("memory.max"), "1048576");
  EXPECT_EQ(unified.written("pids.max"), "30");
  EXPECT_EQ(unified.written("cpu.max"), "150000 100000");
  EXPECT_EQ(text_of(unified.folder / "cgroup.subtree_control"), "+memory +pids +cpu");
  EXPECT_EQ(made->entries().size(), 1U);
  EXPECT_GE(made->birthplace(), 0);
}

// As where systemd mounts both.
TEST(AControlGroup, TakesEachControllerWhereItIs) {
  const FakeHierarchy pids("pids", {"pids.max", "tasks"}),
      unified("unified", {"memory.max", "cpu.max", "cgroup.procs"});
  const std::array all{unified.of_second("cpu memory"), pids.of_first("rw,pids")};
  const auto made = ControlGroup::make("it", everything(), all);
  ASSERT_TRUE(made.has_value()) << made.error().what;
  EXPECT_EQ(pids.written("pids.max"), "30");
  EXPECT_EQ(unified.written("memory.max"), "1048576");
  EXPECT_EQ(made->entries().size(), 2U);
}

TEST(AControlGroup, HasOnlyTheLimitsThatAreWanted) {
  const FakeHierarchy unified("unified", {"memory.max", "pids.max", "cpu.max", "cgroup.procs"});
  const std::array all{unified.of_second("cpu memory pids")};
  ASSERT_TRUE(ControlGroup::make("it", {.memory = {}, .processes = 5, .cpu = {}}, all).has_value());
  EXPECT_EQ(unified.written("pids.max"), "5");
  EXPECT_EQ(unified.written("memory.max") + unified.written("cpu.max"), "");
  EXPECT_EQ(text_of(unified.folder / "cgroup.subtree_control"), "+pids");
}

TEST(AControlGroup, IsRefusedWithItsKeyWhereThereIsNone) {
  const auto none = ControlGroup::make("it", everything(), {});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(
      none.error().what,
      "memory: there is no control group here whose memory could be limited: leave it out, or write best_effort = "
      "true");
  const FakeHierarchy unified("unified", {"memory.max", "cgroup.procs"});
  const std::array without_pids{unified.of_second("hugetlb memory")};
  const auto refused = ControlGroup::make("it", everything(), without_pids);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(refused.error().what.starts_with("processes: there is no control group")) << refused.error().what;
}

TEST(AControlGroup, IsRefusedWhereItMayNotBeMade) {
  const std::array nowhere{
      Hierarchy{"/proc/superd-has-no-such-folder", "rw,memory"}
  };
  const auto refused = ControlGroup::make("it", {.memory = 1 << 20, .processes = {}, .cpu = {}}, nowhere);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(
      refused.error().what.starts_with("memory: make the control group /proc/superd-has-no-such-folder/superd."))
      << refused.error().what;
}

TEST(AControlGroupOfThisMachine, BoundsTheProcessorInVersion1) {
  if (!is_root() || !own_hierarchy("cpu")) GTEST_SKIP() << "there is none of version 1 here that may be changed";
  const auto made = ControlGroup::make("it", {.memory = {}, .processes = {}, .cpu = 25});
  ASSERT_TRUE(made.has_value()) << made.error().what;
  const files::path group =
      files::path(own_hierarchy("cpu")->folder) / ("superd." + std::to_string(getpid()) + ".it/cpu.cfs_quota_us");
  EXPECT_EQ(text_of(group), "25000\n");
}

TEST(AControlGroupOfThisMachine, IsGoneWithItsLastMember) {
  if (!is_root() || !own_hierarchy("pids")) GTEST_SKIP() << "there is none of version 1 here that may be changed";
  const files::path group = files::path(own_hierarchy("pids")->folder) / ("superd." + std::to_string(getpid()) + ".it");
  auto made = ControlGroup::make("it", {.memory = {}, .processes = 10, .cpu = {}});
  ASSERT_TRUE(made.has_value()) << made.error().what;
  EXPECT_TRUE(files::exists(group));
  const pid_t member = ::fork();
  if (member == 0) wait_for_ever(nullptr);
  std::ofstream(group / "tasks") << member << std::flush;
  EXPECT_EQ(text_of(group / "cgroup.procs"), std::to_string(member) + "\n");
  made->kill();
  int status = 0;
  ASSERT_EQ(::waitpid(member, &status, 0), member);
  EXPECT_TRUE(WIFSIGNALED(status));
  {
    const auto last = std::move(*made);
  }
  EXPECT_FALSE(files::exists(group));
}

// Of a kernel whose controllers are all in version 1, the groups of version 2 have members, and can be killed.
TEST(AControlGroupOfThisMachine, HasChildrenThatAreBornInIt) {
  const auto unified = own_hierarchy("");
  if (!is_root() || !unified || spawn_level() != SpawnLevel::clone3) GTEST_SKIP() << "no version 2 here";
  const files::path group = files::path(unified->folder) / ("superd-test-" + std::to_string(getpid()));
  if (!files::create_directory(group)) GTEST_SKIP() << "no group may be made here";
  const int birthplace = ::open(group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  alignas(16) std::array<std::byte, 16384> stack;
  // It shares our memory, and we wait until it is another program.
  const auto child = spawn(
      [](void*) -> int {
        char name[] = "sleep", seconds[] = "1000";
        char* words[] = {name, seconds, nullptr};
        ::execv("/bin/sleep", words);
        return 127;
      },
      nullptr, stack, birthplace);
  ASSERT_GT(child.process, 0);
  EXPECT_EQ(text_of(group / "cgroup.procs"), std::to_string(child.process) + "\n");
  std::ofstream(group / "cgroup.kill") << "1" << std::flush;
  int status = 0;
  ASSERT_EQ(::waitpid(child.process, &status, 0), child.process);
  EXPECT_TRUE(WIFSIGNALED(status));
  if (child.pidfd >= 0) ::close(child.pidfd);
  ::close(birthplace);
  EXPECT_TRUE(files::remove(group));
}
