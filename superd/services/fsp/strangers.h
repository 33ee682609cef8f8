#pragma once

#include <array>
#include <cstdint>

#include "superd/base/clock.h"
#include "superd/base/shared_memory.h"
#include "superd/base/shared_mutex.h"
#include "superd/net/endpoint.h"

namespace superd {

/// The sources that were answered without the right key, and have not shown it since: a source may be forged, and what is
/// sent to it may be aimed at somebody else. So a port gets one answer a minute, repeated a few times for those whose
/// answers get lost, and an address has few such ports; a client that then shows its key gives its place back. In memory
/// that forked processes share, of a fixed size. Thread-safe.
class FspStrangers {
 public:
  FspStrangers();

  /// True: one without the right key may be answered now.
  bool admit(const Endpoint& from, Time now) noexcept;
  /// It has shown the right key.
  void recognise(const Endpoint& from) noexcept;

  /// Ports of one address that may be waited for at once: some programs of one host that start together.
  static constexpr std::size_t ports = 8;
  /// Answers to one port, and the pause between them: at a third of all datagrams lost, one client in thirty finds out
  /// with the last of them that it has to be silent for a minute.
  static constexpr int answers = 4;
  static constexpr Seconds pause{1}, silence{60};

 private:
  struct Port {
    Time first, last;  // answers
    std::uint16_t port;
    std::uint8_t answers;  // 0: the place is free
  };
  struct Address {
    ClientKey key;
    Time last;
    std::array<Port, FspStrangers::ports> places;
  };
  static constexpr std::size_t ways = 4, sets = 1024;
  struct Table {
    SharedMutex mutex;
    std::array<Address, ways * sets> addresses;
  };

  [[nodiscard]] Address* set_of(const ClientKey& key) const noexcept;
  static Port* place_in(Address& address, std::uint16_t port, Time now) noexcept;

  SharedMemory memory_;
  Table& table_;
  std::uint64_t salt_;
};

}  // namespace superd
