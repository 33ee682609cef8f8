#include "superd/super/channel.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "superd/engines/poll_timeout.h"

namespace superd {

namespace {

// One message may carry 253 (SCM_MAX_FD); more come in parts.
constexpr std::size_t most_descriptors = 250;
// A longer text crosses as a file, which has no bound.
constexpr std::size_t most_text = 16 << 10;

enum class Part : char {
  last,       ///< the text, and the rest of the descriptors
  last_file,  ///< the same, the text in the first descriptor of this part
  earlier,    ///< descriptors alone
};

Result<> wait_for(int fd, short events, Time until) noexcept {
  for (;;) {
    pollfd watched{.fd = fd, .events = events};
    const int ready = poll(&watched, 1, poll_timeout(until));
    if (ready > 0) return {};
    if (ready == 0 && Clock::now() >= until) return error("it does not answer");
    if (ready < 0 && errno != EINTR) return system_error("poll");
  }
}

Result<Socket> file_with(std::string_view text) {
  Socket file(memfd_create("superd message", MFD_CLOEXEC));
  if (!file.is_open()) return system_error("memfd_create");
  if (pwrite(file.fd(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return system_error("write a message");
  return file;
}

std::string text_in(const Socket& file) {
  struct stat status{};
  if (fstat(file.fd(), &status) != 0) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t size = pread(file.fd(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

void take_descriptors(msghdr& message, std::vector<Socket>& into) {
  for (auto* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int one;
      std::memcpy(&one, CMSG_DATA(part) + i * sizeof one, sizeof one);
      into.emplace_back(one);
    }
  }
}

}  // namespace

struct Channel::Header {
  char verb;
  Part part;
};

Result<std::pair<Channel, Channel>> Channel::pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return system_error("socketpair");
  return std::pair(Channel(Socket(ends[0])), Channel(Socket(ends[1])));
}

Result<> Channel::send(char verb, std::string_view text, std::span<const int> descriptors, Time until) noexcept try {
  for (; descriptors.size() >= most_descriptors; descriptors = descriptors.subspan(most_descriptors - 1))
    if (auto sent = send_part({verb, Part::earlier}, {}, descriptors.first(most_descriptors - 1), until); !sent)
      return sent;
  if (text.size() <= most_text) return send_part({verb, Part::last}, text, descriptors, until);
  const auto file = file_with(text);
  if (!file) return std::unexpected(file.error());
  std::vector<int> with_file{file->fd()};
  with_file.insert(with_file.end(), descriptors.begin(), descriptors.end());
  return send_part({verb, Part::last_file}, {}, with_file, until);
} catch (const std::bad_alloc&) {
  return error("no memory for a message");
}

Result<> Channel::send_part(const Header& header, std::string_view text, std::span<const int> descriptors,
                            Time until) noexcept {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
  Header copy = header;
  std::array<iovec, 2> parts{
      {{&copy, sizeof copy}, {const_cast<char*>(text.data()), text.size()}}
  };
  msghdr message{.msg_iov = parts.data(), .msg_iovlen = parts.size()};
  if (!descriptors.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    auto* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  while (sendmsg(end_.fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return system_error("send a message");
    if (auto has_room = wait_for(end_.fd(), POLLOUT, until); !has_room) return has_room;
  }
  return {};
}

Result<std::optional<Message>> Channel::receive(Time until) noexcept try {
  Message whole;
  for (;;) {
    if (auto is_there = wait_for(end_.fd(), POLLIN, until); !is_there) return std::unexpected(is_there.error());
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
    Header header{};
    std::array<char, most_text> text;
    std::array<iovec, 2> parts{
        {{&header, sizeof header}, {text.data(), text.size()}}
    };
    msghdr message{
        .msg_iov = parts.data(), .msg_iovlen = parts.size(), .msg_control = control, .msg_controllen = sizeof control};
    const ssize_t size = recvmsg(end_.fd(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    // ECONNRESET: it ended with something of ours unread.
    if (size < static_cast<ssize_t>(sizeof header)) return std::nullopt;
    const auto first = whole.descriptors.size();
    take_descriptors(message, whole.descriptors);
    if (header.part == Part::earlier) continue;
    whole.verb = header.verb;
    whole.text.assign(text.data(), static_cast<std::size_t>(size) - sizeof header);
    if (header.part == Part::last_file && whole.descriptors.size() > first) {
      whole.text = text_in(whole.descriptors[first]);
      whole.descriptors.erase(whole.descriptors.begin() + static_cast<std::ptrdiff_t>(first));
    }
    return whole;
  }
} catch (const std::bad_alloc&) {
  return error("no memory for a message");
}

}  // namespace superd
