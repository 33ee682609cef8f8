#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"
#include "superd/net/listen_address.h"
#include "superd/net/socket.h"

/// What a service manager that started us is told, and what it has given: sd_notify(3), sd_listen_fds(3). The protocols are a
/// datagram and two variables; libsystemd would be the one shared library that superd needs.
namespace superd {

/// Tells the service manager how we are, where NOTIFY_SOCKET names one; else does nothing. Lines of "NAME=value". Never
/// blocks.
class ServiceManager {
 public:
  ServiceManager();

  void tell(std::string_view lines) const noexcept;
  void tell_ready(std::string_view status) const noexcept;
  void tell_reloading() const noexcept;
  void tell_stopping() const noexcept;

  /// How often it wants to hear that we live (WATCHDOG_USEC, half of it); nothing: it does not ask.
  [[nodiscard]] std::optional<Millis> watchdog() const noexcept { return watchdog_; }
  void tell_alive() const noexcept { tell("WATCHDOG=1"); }

 private:
  Socket socket_;
  std::string path_;
  std::optional<Millis> watchdog_;
};

/// Listening sockets that the service manager opened for us. They are matched by where they listen.
class InheritedSockets {
 public:
  /// Takes them, and the variables, which no child of ours shall see.
  static InheritedSockets take();

  /// The one that listens there, `port_base` added; nothing: there is none.
  [[nodiscard]] std::optional<Socket> find(const ListenAddress& address, std::uint16_t port_base);

  /// Where those listen that nobody has asked for.
  [[nodiscard]] std::vector<std::string> left() const;

 private:
  struct One {
    Socket socket;
    Transport transport;
    Endpoint local;
  };
  std::vector<One> all_;
};

}  // namespace superd
