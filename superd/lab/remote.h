#pragma once

#include <netdb.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "superd/base/clock.h"
#include "superd/base/error.h"
#include "superd/lab/waits.h"
#include "superd/net/endpoint.h"
#include "superd/net/socket.h"

namespace superd {

/// All addresses of a host, in the order in which they ought to be tried (getaddrinfo(3)).
[[nodiscard]] Result<std::vector<Endpoint>> look_up(const std::string& host, std::uint16_t port);

/// A client's datagram socket, and the server it speaks with. One thread.
class Remote {
 public:
  /// Connected: the kernel drops what others send, and tells when nobody is there.
  static Result<Remote> connected(const Endpoint& server);
  /// Not connected: whoever answers from the server's address is told with the answer. As TFTP wants it, whose server
  /// answers from a port of its own.
  static Result<Remote> unconnected(const Endpoint& server);

  /// A datagram that the kernel does not take is lost, as the network could have lost it. False where it is known that
  /// nobody listens there.
  bool send(std::span<const std::byte> bytes) noexcept;

  enum class Event : std::uint8_t { datagram, nothing, refused, interrupted };
  /// Waits for a datagram until then. `refused`: the host says that nobody listens at that port.
  Event receive(Time until);
  /// The last one received.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return std::span(room_).first(size_); }
  [[nodiscard]] const Endpoint& from() const noexcept { return from_; }

  /// From now on connected, to this port of the server.
  Result<> settle(const Endpoint& server);
  [[nodiscard]] const Endpoint& server() const noexcept { return server_; }

 private:
  Remote(Socket socket, const Endpoint& server) : socket_(std::move(socket)), server_(server), room_(65536) {}

  Socket socket_;
  Endpoint server_, from_;
  bool is_connected_ = false;
  std::vector<std::byte> room_;
  std::size_t size_ = 0;
};

}  // namespace superd
