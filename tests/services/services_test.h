#pragma once

#include <cstring>

#include "superd/engines/blocking.h"
#include "superd/serve/converse.h"
#include "superd/services/services.h"
#include "tests/serve/serve_test.h"

namespace superd::test {

/// A connection to a service of the table, which runs in a thread of its own.
class Talk {
 public:
  explicit Talk(std::string_view service) : hosted(hosted_with(find_service(service)->make({}).value())) {
    auto pair = tcp_pair();
    client = std::move(pair.client);
    thread_ = std::jthread([this, server = std::move(pair.server)]() mutable {
      Blocking blocking;
      auto seat = hosted->level.take(ClientKey::of(endpoint("127.0.0.1:0")), server.fd());
      converse(*hosted, server, blocking, *seat);
      over_ = true;
    });
  }
  ~Talk() { hosted->level.cut_all(); }

  bool ended() {
    return soon([this] { return over_.load(); });
  }
  void finish() const { ::shutdown(client.fd(), SHUT_WR); }

  std::shared_ptr<HostedService> hosted;
  Socket client;

 private:
  std::atomic<bool> over_{false};
  std::jthread thread_;
};

/// What a service answers to a datagram.
inline std::vector<std::string> answers_of(std::string_view service, std::string_view request,
                                           std::string_view from = "127.0.0.1:4000") {
  class Path final : public AnswerPath {
   public:
    void send(DatagramSlot&, std::span<const std::byte> bytes) override {
      texts.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    std::vector<std::string> texts;
  } path;
  const auto hosted = hosted_with(find_service(service)->make({}).value());
  const auto listener =
      std::make_shared<Listener>(listen_at("udp/127.0.0.1:0"), Transport::udp, endpoint("127.0.0.1:10007"), hosted);
  std::unique_ptr<DatagramSlot> slot(new DatagramSlot);
  slot->from = endpoint(from);
  slot->size = request.size();
  std::memcpy(slot->bytes.data(), request.data(), request.size());
  Blocking blocking;
  auto seat = hosted->level.take();
  converse(listener, slot, path, blocking, *seat);
  EXPECT_EQ(hosted->counters.served.value(), 1U);
  return path.texts;
}

inline std::string read_bytes(const Socket& socket, std::size_t number) {
  std::string all;
  while (all.size() < number) {
    const auto part = received_text(socket);
    if (!part || part->empty()) break;
    all += *part;
  }
  return all;
}

}  // namespace superd::test
