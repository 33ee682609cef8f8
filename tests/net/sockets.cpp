#include <netinet/in.h>

#include "tests/net/net_test.h"

using namespace superd;
using namespace superd::test;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

Socket any_socket() { return Socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

}  // namespace

TEST(ASocket, ClosesWhatItOwns) {
  int fd = -1;
  {
    const auto socket = any_socket();
    fd = socket.fd();
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(ASocket, IsEmptyAfterMoving) {
  auto socket = any_socket();
  const int fd = socket.fd();
  Socket other(std::move(socket));
  EXPECT_FALSE(socket.is_open());  // NOLINT(bugprone-use-after-move): the claim
  EXPECT_EQ(other.fd(), fd);
  auto third = any_socket();
  const int lost = third.fd();
  third = std::move(other);
  EXPECT_FALSE(is_open(lost));
  EXPECT_EQ(third.fd(), fd);
}

TEST(ASocket, LeavesWhatWasReleased) {
  auto socket = any_socket();
  const int fd = socket.release();
  socket.reset();
  EXPECT_TRUE(is_open(fd));
  ::close(fd);
}

TEST(ASocket, KeepsErrnoWhenItCloses) {
  auto already_closed = any_socket();
  ::close(already_closed.fd());
  errno = ETIMEDOUT;
  already_closed.reset();
  EXPECT_EQ(errno, ETIMEDOUT);
}

TEST(ASocketClosedWithReset, TellsItsClientAtOnce) {
  const auto listener = listen_at("tcp/127.0.0.1:0");
  const auto client = connected_to(door_of(listener, "127.0.0.1"));
  auto served = accepted_from(listener);
  served.close_with_reset();
  served.reset();
  ASSERT_TRUE(is_readable(client));
  char byte = 0;
  EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(StandardDescriptors, AreNeverASocket) {
  const auto answer = in_child([]() -> std::string {
    for (const int fd : {0, 1, 2}) ::close(fd);
    if (!fill_standard_descriptors()) return "failed";
    return std::to_string(any_socket().fd() > 2) + std::to_string(::write(2, "x", 1));
  });
  EXPECT_EQ(answer, "11");
}

TEST(StandardDescriptors, StayWhenTheyAreOpen) {
  const auto answer = in_child([]() -> std::string {
    ::close(1);
    const auto before = std::to_string(::fcntl(0, F_GETFD) != -1);
    if (!fill_standard_descriptors()) return "failed";
    return before + std::to_string(any_socket().fd() > 2);
  });
  EXPECT_EQ(answer, "11");
}
