#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/socket.h"

namespace superd {

/// What crosses a Channel: a verb, a text, and descriptors that the receiver owns.
struct Message {
  char verb = 0;
  std::string text;
  std::vector<Socket> descriptors;
};

/// One end of a pair of sockets between two processes of superd (unix(7), SOCK_SEQPACKET). Messages arrive whole and in
/// order, however long their text and however many their descriptors. One thread at a time.
class Channel {
 public:
  Channel() noexcept = default;
  explicit Channel(Socket end) noexcept : end_(std::move(end)) {}

  /// Two ends, close-on-exec.
  static Result<std::pair<Channel, Channel>> pair();

  [[nodiscard]] int fd() const noexcept { return end_.fd(); }
  [[nodiscard]] bool is_open() const noexcept { return end_.is_open(); }
  void close() noexcept { end_.reset(); }

  /// Waits until the other side has room, at most until then: it may be stopped. The descriptors stay the caller's.
  Result<> send(char verb, std::string_view text, std::span<const int> descriptors, Time until) noexcept;

  /// The next message; nothing when the other side is gone. An error when none is whole by then: who asked must not use
  /// the channel any more, or takes a late answer for that to another question.
  Result<std::optional<Message>> receive(Time until) noexcept;

 private:
  struct Header;
  Result<> send_part(const Header&, std::string_view text, std::span<const int> descriptors, Time until) noexcept;

  Socket end_;
};

}  // namespace superd
