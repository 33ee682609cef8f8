#include "superd/serve/held_answers.h"

#include "superd/serve/direct_path.h"

namespace superd {

void HeldAnswers::send(DatagramSlot&, std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  sizes_.push_back(bytes.size());
}

template <class Take>
void HeldAnswers::hand_out(Take take) {
  std::span<const std::byte> rest(bytes_);
  for (const auto size : sizes_) {
    take(rest.first(size));
    rest = rest.subspan(size);
  }
  bytes_.clear();
  sizes_.clear();
}

void HeldAnswers::move_to(AnswerPath& batch, DatagramSlot& slot) {
  hand_out([&](std::span<const std::byte> answer) { batch.send(slot, answer); });
}

void HeldAnswers::send_straight(DatagramSlot& slot) {
  if (sizes_.empty()) return;
  DirectPath path(*listener_);
  hand_out([&](std::span<const std::byte> answer) { path.send(slot, answer); });
}

}  // namespace superd
