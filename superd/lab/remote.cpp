#include "superd/lab/remote.h"

#include <cerrno>

namespace superd {

namespace {

// So that one which is not connected hears, too, that nobody listens (ip(7), IP_RECVERR).
void tell_of_errors(int fd, const Endpoint& server, int whether) noexcept {
  if (server.is_v4())
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &whether, sizeof whether);
  else
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &whether, sizeof whether);
}

// What it has heard is kept, and would wake every wait.
void forget_errors(int fd) noexcept {
  std::byte bytes[64];
  while (recv(fd, bytes, sizeof bytes, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
  }
}

bool tells_of_nobody(int code) noexcept { return code == ECONNREFUSED; }

}  // namespace

Result<std::vector<Endpoint>> look_up(const std::string& host, std::uint16_t port) {
  const auto digits = std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), digits.c_str(), &hints, &found);
  if (code != 0) {
    const bool passes = code == EAI_AGAIN;
    return std::unexpected(Error{"look up " + host + ": " + gai_strerror(code), passes ? EAGAIN : 0});
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<Endpoint> all;
  for (const auto* entry = found; entry; entry = entry->ai_next)
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6)
      all.push_back(Endpoint::from(entry->ai_addr, entry->ai_addrlen));
  if (all.empty()) return error("look up " + host + ": it has no address");
  return all;
}

Result<Remote> Remote::unconnected(const Endpoint& server) {
  Socket socket(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error("make a socket for " + server.text());
  tell_of_errors(socket.fd(), server, true);
  return Remote(std::move(socket), server);
}

Result<Remote> Remote::connected(const Endpoint& server) {
  auto remote = unconnected(server);
  if (!remote) return remote;
  if (auto settled = remote->settle(server); !settled) return std::unexpected(settled.error());
  return remote;
}

Result<> Remote::settle(const Endpoint& server) {
  if (::connect(socket_.fd(), server.address(), server.size()) != 0) return system_error("reach " + server.text());
  tell_of_errors(socket_.fd(), server, false);
  server_ = server;
  is_connected_ = true;
  return {};
}

bool Remote::send(std::span<const std::byte> bytes) noexcept {
  const auto try_once = [&] {
    if (is_connected_) return ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return ::sendto(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL, server_.address(), server_.size());
  };
  if (try_once() >= 0 || !tells_of_nobody(errno)) return true;
  // That was about the last one, and this one has not been sent.
  try_once();
  return false;
}

Remote::Event Remote::receive(Time until) {
  while (true) {
    socklen_t size = Endpoint::capacity;
    const auto got = ::recvfrom(socket_.fd(), room_.data(), room_.size(), MSG_DONTWAIT, from_.address(), &size);
    if (got >= 0) {
      from_.set_size(size);
      size_ = static_cast<std::size_t>(got);
      return Event::datagram;
    }
    if (tells_of_nobody(errno)) {
      if (!is_connected_) forget_errors(socket_.fd());
      return Event::refused;
    }
    if (was_interrupted()) return Event::interrupted;
    if (Clock::now() >= until) return Event::nothing;
    pollfd waiting{socket_.fd(), POLLIN, 0};
    wait_for({&waiting, 1}, until);
  }
}

}  // namespace superd
