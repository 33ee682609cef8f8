#pragma once
/// Datagrams sent and received many at a time: what the client saves in system calls lets the server be the slower end.

#include <poll.h>

#include <array>

#include "bench/load/sockets.h"

namespace bench {

class Datagrams {
 public:
  static constexpr unsigned batch = 64;
  static constexpr std::size_t room = 2048;

  Datagrams() {
    for (unsigned i = 0; i < batch; ++i) {
      parts_[i].iov_base = bytes_[i].data();
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  /// Where the i-th datagram of a batch lies.
  char* operator[](unsigned i) { return bytes_[i].data(); }
  std::size_t size(unsigned i) const { return messages_[i].msg_len; }

  /// Sends the first `count` datagrams with `size` bytes each; returns how many went, -1 with errno for none.
  int send(int socket, unsigned count, std::size_t size) {
    for (unsigned i = 0; i < count; ++i) parts_[i].iov_len = size;
    return ::sendmmsg(socket, messages_.data(), count, MSG_DONTWAIT);
  }

  /// Receives what is there; -1 with errno when that is nothing.
  int receive(int socket) {
    for (iovec& part : parts_) part.iov_len = room;
    return ::recvmmsg(socket, messages_.data(), batch, MSG_DONTWAIT, nullptr);
  }

 private:
  std::array<std::array<char, room>, batch> bytes_{};
  std::array<iovec, batch> parts_{};
  std::array<mmsghdr, batch> messages_{};
};

/// Waits until `socket` can be read; false when `patience` passed first.
inline bool readable(int socket, std::chrono::milliseconds patience) {
  pollfd waiting{socket, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace bench
