#include "superd/engines/transfer.h"

#include <sys/socket.h>

namespace superd {

namespace {

Try settled(Operation& operation, Outcome outcome, int code = 0) noexcept {
  settle(operation, outcome, code);
  return Try::settled;
}

}  // namespace

Try try_receive(Operation& operation, BufferPool& buffers) noexcept {
  const auto buffer = buffers.current();
  if (buffer.empty()) return Try::shortage;
  ssize_t got;
  do got = recv(operation.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  operation.more_likely = got == static_cast<ssize_t>(buffer.size());
  if (got == 0) return settled(operation, Outcome::end_of_stream);
  if (got < 0) {
    if (is_not_yet(errno)) return Try::not_ready;
    return is_shortage(errno) ? Try::shortage : settled(operation, Outcome::failed, errno);
  }
  operation.lent = buffers.lend();
  operation.bytes = buffer.first(static_cast<std::size_t>(got));
  return settled(operation, Outcome::done);
}

Try try_send(Operation& operation) noexcept {
  while (!operation.bytes.empty()) {
    const ssize_t sent =
        send(operation.fd, operation.bytes.data(), operation.bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0)
      note_sent(operation, static_cast<std::size_t>(sent));
    else if (is_not_yet(errno))
      return Try::not_ready;
    else if (is_shortage(errno))
      return Try::shortage;
    else if (errno != EINTR)
      return settled(operation, Outcome::failed, errno);
  }
  return settled(operation, Outcome::done);
}

void note_sent(Operation& operation, std::size_t part) noexcept {
  operation.bytes = operation.bytes.subspan(part);
  if (operation.progressed) operation.progressed(operation, part);
}

}  // namespace superd
