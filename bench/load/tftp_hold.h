#pragma once
/// tftp-hold: --count transfers of --file that all go on, but slowly, for who reads what they cost the server. Prints `open`
/// when each has had its first block, and ends them at a line on stdin or after --seconds.

#include <poll.h>

#include <array>
#include <string>
#include <vector>

#include "bench/load/options.h"
#include "bench/load/sockets.h"

namespace bench {

class TftpHold {
 public:
  explicit TftpHold(const Options& options) : options_(options), transfers_(options.count) {}

  void run() {
    for (auto& transfer : transfers_) begin(transfer);
    const auto until = Clock::now() + std::chrono::duration_cast<Nanos>(options_.seconds);
    bool told = false;
    while (Clock::now() < until) {
      std::size_t going = 0;
      for (auto& transfer : transfers_) going += go_on(transfer);
      if (!told && going == transfers_.size()) {
        told = true;
        std::puts("open");
        std::fflush(stdout);
      }
      pollfd input{0, POLLIN, 0};
      if (::poll(&input, 1, pause_ms) > 0) break;
    }
    std::size_t open = 0;
    for (auto& transfer : transfers_) open += end(transfer);
    std::printf("{\"mode\": \"tftp-hold\", \"opened\": %zu, \"still_open\": %zu, \"errors\": %zu}\n", transfers_.size(),
                open, transfers_.size() - open);
  }

 private:
  // Between two blocks of a transfer: so seldom that it costs next to nothing, so often that no server gives up.
  static constexpr int pause_ms = 20;

  struct Transfer {
    File socket;
    sockaddr_in peer{};
    bool has_begun = false, has_failed = false;
  };

  void send(const Transfer& transfer, const std::string& packet) const {
    (void)::sendto(transfer.socket.get(), packet.data(), packet.size(), 0,
                   reinterpret_cast<const sockaddr*>(&transfer.peer), sizeof transfer.peer);
  }

  void begin(Transfer& transfer) const {
    transfer.socket = File(check(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
    transfer.peer = loopback(INADDR_LOOPBACK, options_.port);
    std::string request("\0\1", 2);
    for (const auto word : {options_.file, std::string_view("octet"), std::string_view("blksize")})
      request.append(word).push_back('\0');
    request.append(std::to_string(options_.size)).push_back('\0');
    send(transfer, request);
  }

  // True: it is under way.
  bool go_on(Transfer& transfer) {
    socklen_t size = sizeof transfer.peer;
    const auto got = ::recvfrom(transfer.socket.get(), room_.data(), room_.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&transfer.peer), &size);
    if (got < 4) return transfer.has_begun;
    const char opcode = room_[1];
    if (opcode == 5) transfer.has_failed = true;
    if (opcode == 3) transfer.has_begun = true;
    const std::string number = opcode == 3 ? std::string(room_.data() + 2, 2) : std::string(2, '\0');
    send(transfer, std::string("\0\4", 2) + number);
    return transfer.has_begun;
  }

  // True: it was under way to the end.
  bool end(Transfer& transfer) {
    if (!transfer.has_begun || transfer.has_failed) return false;
    send(transfer, std::string("\0\5\0\0over\0", 9));
    return true;
  }

  const Options& options_;
  std::vector<Transfer> transfers_;
  std::array<char, 65536> room_;
};

}  // namespace bench
