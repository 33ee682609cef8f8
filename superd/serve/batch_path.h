#pragma once

#include "superd/serve/converse.h"

namespace superd {

/// Gathers the answers to one batch of datagrams, so that they leave together. Of one door.
class BatchPath final : public AnswerPath {
 public:
  explicit BatchPath(const Listener& listener)
      : outbox_(listener.socket.fd(), Outbox::capacity, !listener.is_raw(), listener.local.is_wildcard()) {}
  void send(DatagramSlot& slot, std::span<const std::byte> bytes) override { outbox_.add(slot, bytes); }
  void flush(Counters& counters) noexcept { count_sent(counters, outbox_.flush()); }

 private:
  Outbox outbox_;
};

}  // namespace superd
