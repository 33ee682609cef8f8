#pragma once
/// tftp: --parallel clients fetch the file --file again and again, each in a socket of its own, with blocks of --size bytes
/// and a window of --window (RFC 7440). An operation is a block, in tftp-files a file; a file's length is
/// compared with that of the first one.
///
/// Options are asked for where they differ from RFC 1350's, and taken as the server grants them: the window it grants is
/// told at the end. A client that hears nothing for a second sends its last packet again, which is counted.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/load/measurement.h"
#include "bench/load/sockets.h"

namespace bench {

class Tftp {
 public:
  Tftp(const Options& options, Measurement& measurement)
      : options_(options), measurement_(measurement), epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    clients_.reserve(options.parallel);
    for (unsigned i = 0; i < options.parallel; ++i) clients_.emplace_back();
  }

  void run() {
    for (std::size_t i = 0; i < clients_.size(); ++i) begin(i);
    std::array<epoll_event, 64> events;
    for (auto now = Clock::now(); measurement_.goes_on(now); now = Clock::now()) {
      const int ready = ::epoll_wait(epoll_.get(), events.data(), events.size(), 100);
      for (int i = 0; i < ready; ++i) hear(events[static_cast<std::size_t>(i)].data.u64);
      if (now - looked_ > std::chrono::milliseconds(200)) repeat(looked_ = now);
    }
    for (auto& client : clients_) send_error(client);
  }

  /// What the operations do not tell.
  void print() const {
    std::printf(", \"bytes\": %llu, \"files\": %llu, \"again\": %llu, \"window\": %u, \"block\": %zu",
                static_cast<unsigned long long>(bytes_), static_cast<unsigned long long>(files_),
                static_cast<unsigned long long>(again_), granted_window_, granted_block_);
  }

 private:
  struct Client {
    File socket;
    sockaddr_in peer{};
    bool has_peer = false;
    std::uint64_t expected = 1, received = 0;
    std::size_t block = 512;
    unsigned window = 1, in_window = 0;
    Clock::time_point began, sent, heard;
    std::string last;  // what was sent
  };

  void begin(std::size_t index) {
    auto& client = clients_[index];
    client = Client{};
    client.socket = File(check(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
    const auto source = loopback(0x7f000001 + static_cast<std::uint32_t>(index % std::max(1U, options_.sources)), 0);
    check(::bind(client.socket.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source), "bind");
    epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event), "epoll_ctl");
    client.peer = loopback(INADDR_LOOPBACK, options_.port);
    client.began = client.heard = Clock::now();
    send(client, request());
  }

  std::string request() const {
    std::string text("\0\1", 2);
    const auto add = [&text](std::string_view word) { text.append(word).push_back('\0'); };
    add(options_.file);
    add("octet");
    if (options_.size != 512) {
      add("blksize");
      add(std::to_string(options_.size));
    }
    if (options_.window != 1) {
      add("windowsize");
      add(std::to_string(options_.window));
    }
    return text;
  }

  void send(Client& client, std::string packet) {
    client.last = std::move(packet);
    client.sent = Clock::now();
    (void)::sendto(client.socket.get(), client.last.data(), client.last.size(), 0,
                   reinterpret_cast<const sockaddr*>(&client.peer), sizeof client.peer);
  }

  void acknowledge(Client& client, std::uint64_t block) {
    client.in_window = 0;
    send(client, {'\0', '\4', static_cast<char>(block >> 8 & 0xff), static_cast<char>(block & 0xff)});
  }

  void send_error(Client& client) {
    if (client.has_peer) send(client, std::string("\0\5\0\0over\0", 9));
  }

  void hear(std::size_t index) {
    auto& client = clients_[index];
    for (unsigned left = client.window; left > 0; --left) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const auto got = ::recvfrom(client.socket.get(), room_.data(), room_.size(), MSG_DONTWAIT,
                                  reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 4) return;
      if (!client.has_peer) client.peer = from;
      client.has_peer = true;
      client.heard = Clock::now();
      if (!take(client, static_cast<std::size_t>(got))) return begin(index);
    }
  }

  unsigned number_at(std::size_t at) const {
    return static_cast<unsigned>(static_cast<unsigned char>(room_[at]) << 8 |
                                 static_cast<unsigned char>(room_[at + 1]));
  }

  // False: over, one way or the other.
  bool take(Client& client, std::size_t size) {
    switch (number_at(0)) {
      case 3: return take_data(client, number_at(2), size - 4);
      case 6:
        take_options(client, {room_.data() + 2, size - 2});
        acknowledge(client, 0);
        return true;
      default: measurement_.failed(); return false;
    }
  }

  void take_options(Client& client, std::string_view text) {
    const auto next = [&text] {
      const auto word = text.substr(0, text.find('\0'));
      text.remove_prefix(std::min(word.size() + 1, text.size()));
      return std::string(word);
    };
    while (!text.empty()) {
      const auto name = next();
      const auto value = std::strtoul(next().c_str(), nullptr, 10);
      if (name == "blksize") client.block = value;
      if (name == "windowsize") client.window = static_cast<unsigned>(value);
    }
    granted_window_ = client.window;
    granted_block_ = client.block;
  }

  bool take_data(Client& client, unsigned number, std::size_t size) {
    if (number != (client.expected & 0xffff)) {
      ++again_;
      if (client.window > 1 && client.in_window > 0) acknowledge(client, client.expected - 1);
      return true;
    }
    ++client.expected;
    client.received += size;
    if (measurement_.measures()) bytes_ += size;
    const bool is_last = size < client.block;
    if (!counts_files_) measurement_.done(client.sent, client.heard);
    if (++client.in_window == client.window || is_last) acknowledge(client, client.expected - 1);
    if (!is_last) return true;
    if (length_ == 0) length_ = client.received;
    if (client.received != length_) measurement_.failed();
    if (counts_files_) measurement_.done(client.began, client.heard);
    if (measurement_.measures()) ++files_;
    return false;
  }

  void repeat(Clock::time_point now) {
    for (auto& client : clients_) {
      if (now - client.heard < std::chrono::seconds(1)) continue;
      client.heard = now;
      ++again_;
      send(client, client.last);
    }
  }

  const Options& options_;
  Measurement& measurement_;
  File epoll_;
  std::vector<Client> clients_;
  std::array<char, 65536> room_;
  const bool counts_files_ = options_.mode == "tftp-files";
  Clock::time_point looked_{};
  std::uint64_t bytes_ = 0, files_ = 0, again_ = 0, length_ = 0;
  unsigned granted_window_ = 1;
  std::size_t granted_block_ = 512;
};

}  // namespace bench
