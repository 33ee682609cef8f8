#include <sys/file.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

struct stat stat_of(const std::string& path) {
  struct stat found{};
  ::lstat(path.c_str(), &found);
  return found;
}

void leave_stale_socket(const Folder& folder) {
  const Socket gone(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto where = *Endpoint::unix_path(folder.file());
  ASSERT_EQ(::bind(gone.fd(), where.address(), where.size()), 0);
}

}  // namespace

TEST(AUnixListener, IsReachedByItsPath) {
  const Folder folder;
  const auto listener = listen_at(folder.address());
  EXPECT_EQ(local_endpoint(listener)->path(), folder.file());
  EXPECT_TRUE(connected_to(*Endpoint::unix_path(folder.file())).is_open());
}

TEST(AUnixListener, HasItsModeWhateverTheUmask) {
  const Folder folder;
  const auto kept = ::umask(0077);
  ListenOptions options;
  options.mode = 0626;
  const auto listener = listen_at(folder.address(), options);
  ::umask(kept);
  EXPECT_EQ(stat_of(folder.file()).st_mode & 07777U, 0626U);
}

TEST(AUnixListener, HasItsOwnerAndGroup) {
  if (::getuid() != 0) GTEST_SKIP() << "only root gives files away";
  const Folder folder;
  ListenOptions options;
  options.owner = 65534;
  const auto first = listen_at(folder.address(), options);
  EXPECT_EQ(stat_of(folder.file()).st_uid, 65534U);
  EXPECT_EQ(stat_of(folder.file()).st_gid, ::getgid());
  ::unlink(folder.file().c_str());
  options.group = 65533;
  const auto second = listen_at(folder.address(), options);
  EXPECT_EQ(stat_of(folder.file()).st_gid, 65533U);
}

TEST(AUnixListener, ThatCannotHaveItsOwnerLeavesNoFile) {
  const Folder folder;
  ::chmod(folder.file().substr(0, folder.file().rfind('/')).c_str(), 0777);
  const auto message = in_child([&]() -> std::string {
    if (::getuid() == 0 && ::setuid(65534) != 0) return "cannot become nobody";
    ListenOptions options;
    options.owner = 0;
    return refusal_of(folder.address(), options).what;
  });
  EXPECT_NE(message.find("set the owner of unix:"), std::string::npos) << message;
  EXPECT_NE(message.find("only root may give files away"), std::string::npos) << message;
  EXPECT_EQ(stat_of(folder.file()).st_mode, 0U);
}

TEST(AStaleUnixSocket, IsReplaced) {
  const Folder folder;
  leave_stale_socket(folder);
  const auto listener = listen_at(folder.address());
  EXPECT_TRUE(connected_to(*Endpoint::unix_path(folder.file())).is_open());
}

TEST(ALiveUnixSocket, IsNotTakenAway) {
  const Folder folder;
  const auto first = listen_at(folder.address());
  const auto before = stat_of(folder.file()).st_ino;
  const auto refused = refusal_of(folder.address());
  EXPECT_EQ(refused.code, EADDRINUSE);
  EXPECT_EQ(refused.what, "bind " + folder.address() +
                              ": address already in use; another program listens there: choose another path or stop it "
                              "(ss -xlp shows it)");
  EXPECT_EQ(stat_of(folder.file()).st_ino, before);
  EXPECT_TRUE(connected_to(*Endpoint::unix_path(folder.file())).is_open());
}

TEST(ALiveUnixSocket, IsNotTakenAwayWhileItsQueueIsFull) {
  const Folder folder;
  ListenOptions options;
  options.backlog = 0;
  const auto first = listen_at(folder.address(), options);
  const auto waiting = connected_to(*Endpoint::unix_path(folder.file()));
  EXPECT_EQ(refusal_of(folder.address()).code, EADDRINUSE);
}

TEST(ALiveUnixSocket, OfDatagramsIsNotTakenAwayEither) {
  const Folder folder;
  const Socket other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto where = *Endpoint::unix_path(folder.file());
  ASSERT_EQ(::bind(other.fd(), where.address(), where.size()), 0);
  EXPECT_EQ(refusal_of(folder.address()).code, EADDRINUSE);
}

TEST(AFileThatIsNoSocket, IsNotTouched) {
  const Folder folder;
  std::ofstream(folder.file()) << "precious";
  const auto refused = refusal_of(folder.address());
  EXPECT_NE(refused.what.find("a file that is not a socket is there, and stays"), std::string::npos) << refused.what;
  std::string content;
  std::ifstream(folder.file()) >> content;
  EXPECT_EQ(content, "precious");
}

TEST(ALinkToNowhere, IsNotTouched) {
  const Folder folder;
  ASSERT_EQ(::symlink("/nowhere/at/all", folder.file().c_str()), 0);
  EXPECT_EQ(refusal_of(folder.address()).code, EADDRINUSE);
  EXPECT_TRUE(S_ISLNK(stat_of(folder.file()).st_mode));
}

TEST(AMissingFolder, IsSaid) {
  const auto refused = refusal_of("unix:/no-such-folder/door");
  EXPECT_EQ(refused.what,
            "bind unix:/no-such-folder/door: no such file or directory; the folder is missing: create it");
}

TEST(TwoServersAtAStaleSocket, DoNotBothGetIt) {
  const Folder folder;
  leave_stale_socket(folder);
  // The first is between its look and its listen(): it holds the folder's lock, and it will not be long.
  const auto name = folder.file().substr(0, folder.file().rfind('/'));
  const Socket busy(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(busy.fd(), LOCK_EX), 0);
  const auto refused = refusal_of(folder.address());
  EXPECT_EQ(refused.code, EAGAIN);
  EXPECT_NE(refused.what.find("holds a lock on " + name), std::string::npos) << refused.what;
  EXPECT_TRUE(S_ISSOCK(stat_of(folder.file()).st_mode));
}
