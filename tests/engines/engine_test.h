#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "superd/async/task.h"
#include "superd/async/waiter.h"
#include "superd/engines/engines.h"
#include "superd/net/socket.h"

namespace superd::test {

/// Long enough for a machine under load; a test that waits this long has failed.
constexpr Seconds patience{20};

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Bytes that tell where in the stream they belong.
inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251 + i / 65'536);
  return text;
}

/// The two ends of a connection: ours, and that of the client.
struct Pair {
  Socket ours, client;
};

inline Pair unix_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
  return {Socket(ends[0]), Socket(ends[1])};
}

/// A listening socket at a port of 127.0.0.1 that the kernel chooses, or at `port`.
inline Socket listening(in_port_t port = 0) {
  Socket door(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  ::setsockopt(door.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in here{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  if (::bind(door.fd(), reinterpret_cast<sockaddr*>(&here), sizeof here) != 0 || ::listen(door.fd(), 128) != 0)
    door.reset();
  return door;
}

inline in_port_t port_of(const Socket& socket) {
  sockaddr_in here{};
  socklen_t size = sizeof here;
  ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

inline Socket connected(in_port_t port) {
  Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in there{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  if (::connect(client.fd(), reinterpret_cast<sockaddr*>(&there), sizeof there) != 0) client.reset();
  return client;
}

inline Pair tcp_pair() {
  const Socket door = listening();
  Socket client = connected(port_of(door));
  const int on = 1;
  ::setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  pollfd wanted{.fd = door.fd(), .events = POLLIN, .revents = 0};
  ::poll(&wanted, 1, -1);
  return {Socket(::accept4(door.fd(), nullptr, nullptr, SOCK_CLOEXEC)), std::move(client)};
}

inline bool send_text(const Socket& socket, std::string_view text) {
  return ::send(socket.fd(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

/// What there is now; empty when there is nothing, or when the peer has closed.
inline std::string receive_now(const Socket& socket, std::size_t most = 65'536) {
  std::string text(most, '\0');
  const auto size = ::recv(socket.fd(), text.data(), most, MSG_DONTWAIT);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

/// All there is now.
inline std::string drain(const Socket& socket) {
  std::string all;
  for (std::string part; !(part = receive_now(socket)).empty();) all += part;
  return all;
}

/// The peer has closed, and all it sent was read.
inline bool is_at_end(const Socket& socket) {
  char one;
  return ::recv(socket.fd(), &one, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

inline void reset(Socket& socket) {
  socket.close_with_reset();
  socket.reset();
}

/// Fills our send buffer and the client's receive buffer, so that the next write has to wait; how much went in.
inline std::size_t stuff(const Socket& socket) {
  const std::string block(65'536, '-');
  std::size_t all = 0;
  // The kernel lets buffers grow for a while.
  for (pollfd room{.fd = socket.fd(), .events = POLLOUT, .revents = 0}; ::poll(&room, 1, 20) == 1;)
    for (ssize_t sent; (sent = ::send(socket.fd(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
      all += static_cast<std::size_t>(sent);
  return all;
}

/// One operation, and what became of it.
struct Request : Operation {
  explicit Request(int descriptor) { fd = descriptor; }

  int completions = 0;  ///< how often it was resumed or went on inline
  std::string got;      ///< what the last read brought
  std::vector<std::size_t> parts;

  [[nodiscard]] bool is_done() const { return completions > 0; }
};

/// Waits once for what has been filled in.
inline detached carry_out(Waiter& waiter, Request& request) {
  const Kind kind = request.kind;
  const Outcome outcome = co_await Wait(waiter, request);
  if (outcome == Outcome::done && kind == Kind::read) request.got = text_of(request.bytes);
  ++request.completions;
}

inline void start_read(Waiter& waiter, Request& request, Time deadline = never) {
  request.kind = Kind::read;
  request.deadline = deadline;
  request.completions = 0;
  request.got.clear();
  carry_out(waiter, request);
}

inline void start_write(Waiter& waiter, Request& request, std::string_view text, Time deadline = never) {
  request.kind = Kind::write;
  request.deadline = deadline;
  request.bytes = bytes_of(text);
  request.completions = 0;
  request.progressed = [](Operation& operation, std::size_t part) noexcept {
    static_cast<Request&>(operation).parts.push_back(part);
  };
  carry_out(waiter, request);
}

inline void start(Waiter& waiter, Request& request, Kind kind, Time deadline = never) {
  request.kind = kind;
  request.deadline = deadline;
  request.completions = 0;
  carry_out(waiter, request);
}

/// Reads until the connection ends; `got` is all it brought.
inline detached read_to_end(Waiter& waiter, Request& request) {
  std::string all;
  for (;;) {
    request.kind = Kind::read;
    const Outcome outcome = co_await Wait(waiter, request);
    if (outcome != Outcome::done) break;
    all += text_of(request.bytes);
  }
  request.got = std::move(all);
  ++request.completions;
}

/// Every engine of the table, in turn.
class Engines : public ::testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    auto made = find_engine(GetParam())->make();
    if (!made) GTEST_SKIP() << made.error().what;
    owned_ = std::move(*made);
  }
  // Also of a test that gave up half-way: nothing is parked when its operation dies, no socket closed before.
  void TearDown() override {
    if (!owned_) return;
    owned_->cancel_all();
    for (auto& request : requests_) owned_->forget(request);
  }

  Engine& engine() { return *owned_; }
  Pair& keep(Pair pair) { return pairs_.emplace_back(std::move(pair)); }
  Request& request_for(const Socket& socket) { return requests_.emplace_back(socket.fd()); }
  Request& request_without_socket() { return requests_.emplace_back(-1); }

  /// Turns until it is so; false when it does not become so.
  bool turn_until(const std::function<bool()>& so) {
    for (const Time end = Clock::now() + patience; !so();) {
      if (Clock::now() > end) return false;
      engine().turn(Clock::now() + Millis{20});
    }
    return true;
  }
  bool turn_until_done(const Request& request) {
    return turn_until([&] { return request.is_done(); });
  }
  /// Some turns that wait for nothing.
  void turn_some() {
    for (int i = 0; i < 5; ++i) engine().turn({});
  }

 private:
  std::list<Pair> pairs_;
  std::list<Request> requests_;
  std::unique_ptr<Engine> owned_;
};

inline std::vector<std::string_view> engine_names() {
  std::vector<std::string_view> names;
  for (const auto& entry : engines()) names.push_back(entry.name);
  return names;
}

inline std::string engine_of_case(const ::testing::TestParamInfo<std::string_view>& info) {
  return std::string(info.param);
}

/// For each file: a suite of its own, under every engine.
// NOLINTBEGIN(bugprone-macro-parentheses): a class is declared
#define EVERY_ENGINE(Suite)                                                                   \
  class Suite : public ::superd::test::Engines {};                                            \
  INSTANTIATE_TEST_SUITE_P(Every, Suite, ::testing::ValuesIn(::superd::test::engine_names()), \
                           ::superd::test::engine_of_case)
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace superd::test
