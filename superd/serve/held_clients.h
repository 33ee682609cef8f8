#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "superd/base/clock.h"
#include "superd/net/endpoint.h"
#include "superd/net/socket.h"

namespace superd {

/// A connection that was accepted and is kept without being served.
struct HeldClient {
  Socket socket;
  Endpoint from;
  ClientKey client;
  Time due{};
};

/// Connections that a door keeps, each for some time: of clients that come later because of their rate, or of clients
/// that are refused slowly. A door has few of them, a process one descriptor in eight. One thread at a time.
class HeldClients {
 public:
  /// In each door; and the longest that one is kept waiting for its rate.
  static constexpr std::size_t most = 256;
  static constexpr Millis patience{10'000};

  HeldClients() = default;
  HeldClients(const HeldClients&) = delete;
  HeldClients& operator=(const HeldClients&) = delete;
  ~HeldClients() { clear(); }

  [[nodiscard]] bool is_empty() const noexcept { return held_.empty(); }
  [[nodiscard]] bool has_room() const noexcept;
  /// When the next one is due; `never`: there is none.
  [[nodiscard]] Time next() const noexcept { return held_.empty() ? never : held_.front().due; }

  /// False, and nothing taken: there is no room.
  bool keep(Socket& socket, const Endpoint& from, const ClientKey& client, Time due) noexcept;
  /// The one that is due first.
  [[nodiscard]] HeldClient take() noexcept;
  void clear() noexcept;

 private:
  std::vector<HeldClient> held_;  // a heap by `due`
};

}  // namespace superd
