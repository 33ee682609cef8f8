#include "superd/net/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace superd {

void Socket::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old < 0) return;
  // Not repeated after EINTR: Linux has freed the descriptor by then, and it may be somebody else's (close(2)).
  const int kept = errno;
  ::close(old);
  errno = kept;
}

void Socket::close_with_reset() noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  const int kept = errno;
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  errno = kept;
}

Result<> fill_standard_descriptors() {
  for (;;) {
    const int fd = ::open("/dev/null", O_RDWR);
    if (fd < 0) return system_error("open /dev/null for a closed standard descriptor");
    if (fd <= STDERR_FILENO) continue;
    ::close(fd);
    return {};
  }
}

}  // namespace superd
