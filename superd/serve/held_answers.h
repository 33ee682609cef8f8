#pragma once

#include <memory>
#include <vector>

#include "superd/serve/datagram.h"

namespace superd {

/// Keeps the answers to one datagram until its conversation has ended or has to wait: the thread that runs the handler
/// may have lost the door and its batch to another one meanwhile, and knows only then whether it has. Of one thread,
/// for one datagram after the other.
class HeldAnswers final : public AnswerPath {
 public:
  void begin(const std::shared_ptr<Listener>& listener) noexcept { listener_ = &listener; }

  void send(DatagramSlot& slot, std::span<const std::byte> bytes) override;
  void let_go(DatagramSlot& slot) override { send_straight(slot); }

  /// The batch is still ours: the answers leave with it.
  void move_to(AnswerPath& batch, DatagramSlot& slot);
  /// It is not: they leave at once.
  void send_straight(DatagramSlot& slot);

 private:
  template <class Take>
  void hand_out(Take take);

  const std::shared_ptr<Listener>* listener_ = nullptr;
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> sizes_;  // of the answers, which lie in bytes_ one after the other
};

}  // namespace superd
