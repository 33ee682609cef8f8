#include "superd/super/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "superd/net/passive.h"

namespace superd {

namespace {

// As SD_LISTEN_FDS_START.
constexpr int first_inherited = 3;

/// A variable that holds a number; it is gone afterwards.
std::optional<long> take_number(const char* name) {
  const char* value = std::getenv(name);
  if (!value) return std::nullopt;
  long number = 0;
  const auto [end, failure] = std::from_chars(value, value + std::strlen(value), number);
  const bool is_number = failure == std::errc{} && *end == '\0';
  unsetenv(name);
  return is_number ? std::optional(number) : std::nullopt;
}

/// -1: not of a kind that we serve.
std::optional<Transport> transport_of(int fd, const Endpoint& local) {
  int type = 0, listens = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return std::nullopt;
  size = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) return std::nullopt;
  if (type == SOCK_DGRAM && !local.is_unix()) return Transport::udp;
  if (type != SOCK_STREAM || !listens) return std::nullopt;
  return local.is_unix() ? Transport::unix_stream : Transport::tcp;
}

}  // namespace

ServiceManager::ServiceManager() {
  const auto period = take_number("WATCHDOG_USEC");
  const auto whom = take_number("WATCHDOG_PID");
  if (period && *period > 0 && (!whom || *whom == getpid()))
    watchdog_ = std::chrono::duration_cast<Millis>(std::chrono::microseconds(*period / 2));
  if (const char* path = std::getenv("NOTIFY_SOCKET")) path_ = path;
  unsetenv("NOTIFY_SOCKET");
  if (!path_.empty()) socket_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void ServiceManager::tell(std::string_view lines) const noexcept {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (!socket_.is_open() || path_.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  // An abstract name begins with NUL where it is written with @, and does not end with one.
  const bool is_abstract = path_.starts_with('@');
  if (is_abstract) address.sun_path[0] = '\0';
  const auto size = offsetof(sockaddr_un, sun_path) + path_.size() + (is_abstract ? 0 : 1);
  (void)sendto(socket_.fd(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
}

void ServiceManager::tell_ready(std::string_view status) const noexcept {
  if (socket_.is_open()) tell(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::tell_reloading() const noexcept {
  if (!socket_.is_open()) return;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()));
}

void ServiceManager::tell_stopping() const noexcept { tell("STOPPING=1"); }

InheritedSockets InheritedSockets::take() {
  InheritedSockets result;
  const auto whom = take_number("LISTEN_PID");
  const auto count = take_number("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (!whom || *whom != getpid() || !count) return result;
  for (int fd = first_inherited; fd < first_inherited + *count; ++fd) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) continue;
    Socket socket(fd);
    const auto local = local_endpoint(socket);
    const auto transport = local ? transport_of(fd, *local) : std::nullopt;
    if (!transport) continue;
    // Blocking, as those that we open.
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    result.all_.push_back({std::move(socket), *transport, *local});
  }
  return result;
}

std::optional<Socket> InheritedSockets::find(const ListenAddress& address, std::uint16_t port_base) {
  auto wanted = address.endpoint;
  if (!wanted.is_unix() && wanted.port() != 0) wanted.set_port(static_cast<std::uint16_t>(wanted.port() + port_base));
  for (auto one = all_.begin(); one != all_.end(); ++one) {
    if (one->transport != address.transport || !(one->local == wanted)) continue;
    Socket found = std::move(one->socket);
    all_.erase(one);
    return found;
  }
  return std::nullopt;
}

std::vector<std::string> InheritedSockets::left() const {
  std::vector<std::string> all;
  for (const auto& one : all_) all.push_back(fmt::format("{}/{}", name_of(one.transport), one.local.text()));
  return all;
}

}  // namespace superd
