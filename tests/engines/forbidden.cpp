#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <string>

#include "superd/engines/engines.h"
#include "superd/net/socket.h"

using namespace superd;

namespace {

/// From here on a system call fails with this errno, in this process.
bool forbid(unsigned call, unsigned code) {
  sock_filter program[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | code},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// What make_io_uring() says in a child under such a filter.
std::string said_under(unsigned call, unsigned code) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string answer = "no filter can be installed here";
    if (forbid(call, code)) {
      const auto made = make_io_uring();
      answer = made ? "it was made" : made.error().what;
    }
    (void)!::write(ends[1], answer.data(), answer.size());
    ::_exit(0);
  }
  const Socket in(ends[0]);
  ::close(ends[1]);
  char room[512];
  const ssize_t size = ::read(in.fd(), room, sizeof room);
  ::waitpid(child, nullptr, 0);
  return {room, size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

TEST(AForbiddenIoUring, NamesTheReasonAndTheOtherEngines) {
  for (const unsigned call : {__NR_io_uring_setup, __NR_io_uring_enter}) {
    const auto said = said_under(call, EPERM);
    EXPECT_NE(said.find("io_uring: operation not permitted"), std::string::npos) << said;
    EXPECT_NE(said.find("seccomp"), std::string::npos) << said;
    EXPECT_NE(said.find(R"(use engine "epoll", "poll" or "select")"), std::string::npos) << said;
  }
}

TEST(AForbiddenIoUring, IsNotMistakenWhenItIsHidden) {
  const auto said = said_under(__NR_io_uring_setup, ENOSYS);
  EXPECT_NE(said.find("io_uring: function not implemented"), std::string::npos) << said;
  EXPECT_NE(said.find("6.1"), std::string::npos) << said;
  EXPECT_NE(said.find("epoll"), std::string::npos) << said;
}
