#pragma once
/// fsp: --parallel clients fetch the file --file again and again, each from a socket of its own, one request after the
/// other, in blocks of --size bytes. An operation is a block, in fsp-files a file; the length of each file is compared with that of
/// the first one.
///
/// A client that hears nothing for a second sends its request again, which is counted.

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "bench/load/measurement.h"
#include "bench/load/sockets.h"

namespace bench {

class Fsp {
 public:
  Fsp(const Options& options, Measurement& measurement)
      : options_(options), measurement_(measurement), epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    clients_.resize(options.parallel);
  }

  void run() {
    for (std::size_t i = 0; i < clients_.size(); ++i) open(i);
    std::array<epoll_event, 64> events;
    for (auto now = Clock::now(); measurement_.goes_on(now); now = Clock::now()) {
      const int ready = ::epoll_wait(epoll_.get(), events.data(), events.size(), 100);
      for (int i = 0; i < ready; ++i) hear(clients_[events[static_cast<std::size_t>(i)].data.u64]);
      if (now - looked_ > std::chrono::milliseconds(200)) repeat(looked_ = now);
    }
  }

  void print() const {
    std::printf(", \"bytes\": %llu, \"again\": %llu", static_cast<unsigned long long>(bytes_),
                static_cast<unsigned long long>(again_));
  }

 private:
  static constexpr std::size_t header = 12;
  static constexpr char get_file = 0x42;

  struct Client {
    File socket;
    std::array<char, 2> key{};
    std::uint16_t sequence = 0;
    std::uint64_t received = 0;
    Clock::time_point began, asked, heard;
  };

  [[nodiscard]] bool counts_files() const { return options_.mode == "fsp-files"; }

  void open(std::size_t index) {
    auto& client = clients_[index];
    client.socket = File(check(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
    const auto source = loopback(0x7f000001 + static_cast<std::uint32_t>(index % std::max(1U, options_.sources)), 0);
    check(::bind(client.socket.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source), "bind");
    const auto server = loopback(INADDR_LOOPBACK, options_.port);
    check(::connect(client.socket.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server), "connect");
    epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event), "epoll_ctl");
    client.began = client.heard = Clock::now();
    ask(client);
  }

  static void put(std::string& packet, std::size_t at, std::uint64_t number, std::size_t size) {
    for (; size > 0; --size, number >>= 8) packet[at + size - 1] = static_cast<char>(number & 0xff);
  }

  void ask(Client& client) {
    client.sequence = static_cast<std::uint16_t>(client.sequence + 8);
    std::string packet(header, '\0');
    packet[0] = get_file;
    std::copy(client.key.begin(), client.key.end(), &packet[2]);
    put(packet, 4, client.sequence, 2);
    put(packet, 6, options_.file.size() + 1, 2);
    put(packet, 8, client.received, 4);
    packet.append(options_.file).append(3, '\0');
    put(packet, packet.size() - 2, options_.size, 2);
    unsigned sum = static_cast<unsigned>(packet.size());
    for (const char byte : packet) sum += static_cast<unsigned char>(byte);
    packet[1] = static_cast<char>(sum + (sum >> 8));
    client.asked = Clock::now();
    (void)::send(client.socket.get(), packet.data(), packet.size(), 0);
  }

  unsigned number_at(std::size_t at) const {
    return static_cast<unsigned>(static_cast<unsigned char>(room_[at]) << 8 |
                                 static_cast<unsigned char>(room_[at + 1]));
  }

  void hear(Client& client) {
    const auto got = ::recv(client.socket.get(), room_.data(), room_.size(), MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(header) || number_at(4) != client.sequence) return;
    client.heard = Clock::now();
    if (!counts_files()) measurement_.done(client.asked, client.heard);
    std::copy(&room_[2], &room_[4], client.key.begin());
    const auto size = number_at(6);
    if (room_[0] != get_file) measurement_.failed();
    client.received += size;
    if (measurement_.measures()) bytes_ += size;
    if (room_[0] != get_file || size < options_.size) end(client);
    ask(client);
  }

  void end(Client& client) {
    if (length_ == 0) length_ = client.received;
    if (client.received != length_) measurement_.failed();
    if (counts_files()) measurement_.done(client.began, client.heard);
    client.received = 0;
    client.began = client.heard;
  }

  void repeat(Clock::time_point now) {
    for (auto& client : clients_) {
      if (now - client.heard < std::chrono::seconds(1)) continue;
      client.heard = now;
      ++again_;
      ask(client);
    }
  }

  const Options& options_;
  Measurement& measurement_;
  File epoll_;
  std::vector<Client> clients_;
  std::array<char, 65536> room_;
  Clock::time_point looked_{};
  std::uint64_t bytes_ = 0, again_ = 0, length_ = 0;
};

}  // namespace bench
