#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "superd/net/passive.h"
#include "tests/config/config_test.h"

using namespace superd;
using namespace superd::test;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, gone after the test.
class AFile : public testing::Test {
 public:
  AFile() {
    std::string name = (fs::temp_directory_path() / "superd-config-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed");
    folder_ = name;
  }
  ~AFile() override { fs::remove_all(folder_); }
  AFile(const AFile&) = delete;
  AFile& operator=(const AFile&) = delete;

 protected:
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::string with(const char* name, std::string_view text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  static Lines errors_of_file(const std::string& path) {
    auto table = read_config(path);
    return table ? Lines{} : table.error();
  }

  fs::path folder_;
};

}  // namespace

TEST_F(AFile, IsRead) {
  const auto table = read_config(with("a.toml", default_config()));
  ASSERT_TRUE(table) << table.error().at(0);
  EXPECT_EQ(*table, parsed(default_config()));
}

TEST_F(AFile, LongerThanABufferIsReadToItsEnd) {
  const auto table = read_config(with("a.toml", std::string(300'000, '\n') + std::string(default_config())));
  ASSERT_TRUE(table) << table.error().at(0);
}

TEST_F(AFile, MayBeALinkToOne) {
  fs::create_symlink(with("a.toml", default_config()), folder_ / "link");
  EXPECT_EQ(errors_of_file(path("link")), Lines{});
}

TEST_F(AFile, HasItsNameInItsErrors) {
  const auto name = with("a.toml", "[service.echo]\nlisten = \"tcp/7\"\nlevel = 0\n");
  EXPECT_EQ(errors_of_file(name), Lines{name + ":3: level: 0 is below 1: a limit can be raised, not switched off"});
}

TEST_F(AFile, ThatIsNoneIsRefusedWithoutWaiting) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(errors_of_file(path("pipe")), Lines{path("pipe") + ": is a pipe: name a file"});
  EXPECT_EQ(errors_of_file(folder_.string()), Lines{folder_.string() + ": is a directory: name a file"});
  EXPECT_EQ(errors_of_file("/dev/null"), Lines{"/dev/null: is a device: name a file"});
  const auto listening = passive(address("unix:" + path("socket")), {});
  ASSERT_TRUE(listening) << listening.error().what;
  EXPECT_EQ(errors_of_file(path("socket")), Lines{path("socket") + ": is a socket or no device at all: name a file"});
}

TEST_F(AFile, ThatCannotBeReadSaysWhy) {
  EXPECT_EQ(errors_of_file(path("none")),
            Lines{path("none") + ": no such file or directory: name a file that can be read"});
  fs::create_symlink("loop", folder_ / "loop");
  EXPECT_EQ(errors_of_file(path("loop")).size(), 1U);
  if (geteuid() == 0) return;  // who may read everything
  chmod(with("secret", default_config()).c_str(), 0);
  EXPECT_EQ(errors_of_file(path("secret")),
            Lines{path("secret") + ": permission denied: name a file that can be read"});
}

TEST_F(AFile, OfEndlessLengthIsRefused) {
  fs::resize_file(with("long", ""), std::uintmax_t{1} << 40);
  EXPECT_EQ(errors_of_file(path("long")), Lines{path("long") + ": is longer than 64 MiB: name a configuration"});
}

TEST_F(AFile, WithControlBytesInItsNameIsShownSafely) {
  const auto errors = errors_of_file("\x1b[31m");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_TRUE(errors[0].starts_with("\\x1b[31m: ")) << errors[0];
}
