#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "superd/net/datagram_batch.h"
#include "superd/net/passive.h"

namespace superd::test {

/// Long enough for a machine under load; a test that waits this long has failed.
constexpr int patience_ms = 10'000;

inline ListenAddress address(std::string_view text) {
  auto parsed = ListenAddress::parse(text);
  if (!parsed) throw std::runtime_error(parsed.error().what);
  return *parsed;
}

inline Socket listen_at(std::string_view text, const ListenOptions& options = {}) {
  auto socket = passive(address(text), options);
  if (!socket) throw std::runtime_error(socket.error().what);
  return std::move(*socket);
}

inline Error refusal_of(std::string_view text, const ListenOptions& options = {}) {
  auto socket = passive(address(text), options);
  return socket ? Error{"not refused", 0} : socket.error();
}

inline Endpoint endpoint(std::string_view text) {
  auto parsed = Endpoint::parse(text);
  if (!parsed) throw std::runtime_error(parsed.error().what);
  return *parsed;
}

/// A literal address with the port that the listener got.
inline Endpoint door_of(const Socket& listener, std::string_view host) {
  auto door = Endpoint::parse(host, local_endpoint(listener)->port());
  if (!door) throw std::runtime_error(door.error().what);
  return *door;
}

inline Socket connected_to(const Endpoint& door, int type = SOCK_STREAM) {
  Socket client(::socket(door.family(), type | SOCK_CLOEXEC, 0));
  if (::connect(client.fd(), door.address(), door.size()) != 0) client.reset();
  return client;
}

inline Socket accepted_from(const Socket& listener) {
  return Socket(::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
}

inline bool is_readable(const Socket& socket) {
  pollfd wanted{.fd = socket.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&wanted, 1, patience_ms) == 1;
}

inline int option_of(const Socket& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket.fd(), level, name, &value, &size) == 0 ? value : -1;
}

inline bool has_v6() {
  const Socket probe(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto loopback = endpoint("[::1]:0");
  return probe.is_open() && ::bind(probe.fd(), loopback.address(), loopback.size()) == 0;
}

/// Slots on the heap: each has room for the largest datagram.
class Slots {
 public:
  explicit Slots(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) pointers_.push_back((owned_.emplace_back(new DatagramSlot)).get());
  }
  std::span<DatagramSlot* const> all() const { return pointers_; }
  DatagramSlot& operator[](std::size_t i) const { return *pointers_[i]; }

 private:
  std::vector<std::unique_ptr<DatagramSlot>> owned_;
  std::vector<DatagramSlot*> pointers_;
};

/// Receives without blocking, once something is there.
inline std::size_t receive(const Socket& socket, const Slots& slots) {
  if (!is_readable(socket)) return 0;
  return receive_datagrams(socket.fd(), slots.all(), MSG_DONTWAIT).value_or(0);
}

inline std::string text_of(DatagramSlot& slot) {
  const auto bytes = slot.payload();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline bool send_text(const Socket& socket, std::string_view text) {
  return ::send(socket.fd(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

/// What arrives next, or nothing.
inline std::optional<std::string> received_text(const Socket& socket) {
  if (!is_readable(socket)) return std::nullopt;
  std::string text(65536, '\0');
  const auto size = ::recv(socket.fd(), text.data(), text.size(), MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(size));
  return text;
}

class Folder {
 public:
  Folder() {
    std::string pattern = ::testing::TempDir() + "superd.XXXXXX";
    path_ = ::mkdtemp(pattern.data()) ? pattern : "";
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    ::unlink(file().c_str());
    ::rmdir(path_.c_str());
  }
  std::string file() const { return path_ + "/door"; }
  std::string address() const { return "unix:" + file(); }

 private:
  std::string path_;
};

/// Runs `work` in a child, for what must not happen to the whole test program; returns what it returned.
template <class Work>
std::string in_child(Work work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string answer = work();
    const auto written = ::write(ends[1], answer.data(), answer.size());
    ::_exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  const Socket in(ends[0]);
  ::close(ends[1]);
  std::string answer;
  char room[1024];
  for (ssize_t n; (n = ::read(in.fd(), room, sizeof room)) > 0;) answer.append(room, static_cast<std::size_t>(n));
  ::waitpid(child, nullptr, 0);
  return answer;
}

}  // namespace superd::test
