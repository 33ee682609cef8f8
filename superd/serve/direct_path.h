#pragma once

#include <memory>

#include "superd/serve/datagram.h"

namespace superd {

/// Answers straight out, one system call each; for datagrams that are handled apart from where they were received.
class DirectPath final : public AnswerPath {
 public:
  explicit DirectPath(std::shared_ptr<Listener> listener);
  void send(DatagramSlot& slot, std::span<const std::byte> bytes) override;

 private:
  std::shared_ptr<Listener> listener_;
  Outbox outbox_;
};

}  // namespace superd
