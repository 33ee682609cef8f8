// How a Door takes datagrams in; connections are in door.cpp.

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <new>

#include "superd/serve/batch_path.h"
#include "superd/serve/door.h"

namespace superd {

task<> Door::take_datagrams() {
  int left = manner_.burst;
  while (may_take_in()) {
    if (hosted_.level.vacant() <= 0) {
      co_await vacancy();
      continue;
    }
    const auto count = receive_batch();
    if (!count) {
      const Trouble trouble = note_trouble(count.error());
      if (trouble == Trouble::shortage) co_await pause();
      if (trouble != Trouble::nothing_there) continue;
      if (is_closing()) co_return;
      left = manner_.burst;
      co_await more();
      continue;
    }
    pause_ = first_pause;
    judge_batch(*count);
    for (std::size_t i = 0; i < *count; ++i) {
      if (!slots_[i]->admitted) continue;
      while (!seat_datagram(*slots_[i])) {
        path_->flush(hosted_.counters);
        co_await vacancy();
      }
      while (seat_.is_taken() && !placement_.place(listener_, slots_[i], *path_, seat_)) {
        hosted_.counters.out_of_threads.add();
        path_->flush(hosted_.counters);
        co_await pause();
      }
    }
    path_->flush(hosted_.counters);
    // A batch that was not full has emptied the socket, most likely: waiting tells at once when it has not.
    const bool emptied = !manner_.blocking && *count < slots_.size();
    if (emptied || --left == 0) {
      left = manner_.burst;
      co_await more();
    }
  }
}

std::expected<std::size_t, int> Door::receive_batch() noexcept {
  std::array<DatagramSlot*, 64> room;
  const auto most = std::min<std::size_t>(
      {slots_.size(), room.size(), static_cast<std::size_t>(std::max(1, hosted_.level.vacant()))});
  for (std::size_t i = 0; i < most; ++i) {
    // Not zeroed: 64 KiB each, of which a datagram touches what it needs.
    if (!slots_[i]) slots_[i].reset(new (std::nothrow) DatagramSlot);
    if (!slots_[i]) return std::unexpected(ENOMEM);
    room[i] = slots_[i].get();
  }
  const bool may_block = manner_.blocking && !is_closing();
  if (may_block) pass_vacancy_on();
  return receive_datagrams(operation_.fd, std::span(room).first(most), may_block ? MSG_WAITFORONE : MSG_DONTWAIT);
}

void Door::judge_batch(std::size_t count) noexcept {
  auto& counters = hosted_.counters;
  waiter_.refresh_now();
  counters.received.add(count);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto& slot = *slots_[i];
    bytes += slot.size;
    if (slot.kernel_drops) listener_->note_kernel_drops(slot.kernel_drops);
    slot.admitted = false;
    if (slot.truncated) {
      counters.dropped_truncated.add();
      continue;
    }
    switch (hosted_.answers.judge(slot.from, slot.to, waiter_.now())) {
      case AnswerGuard::Verdict::answer: slot.admitted = true; break;
      case AnswerGuard::Verdict::bad_source: counters.dropped_source.add(); break;
      case AnswerGuard::Verdict::over_rate: counters.dropped_rate.add(); break;
    }
  }
  counters.bytes_in.add(bytes);
}

// False: the level is reached, wait. Afterwards without a seat: dropped.
bool Door::seat_datagram(const DatagramSlot& slot) noexcept try {
  auto& level = hosted_.level;
  // Alone at its level, a datagram that is handled at once cannot exceed its client's share, and needs no look-up.
  auto taken = level.count() == 0 ? level.take() : level.take(ClientKey::of(slot.from), -1);
  if (taken) {
    seat_ = std::move(*taken);
    return true;
  }
  if (taken.error() == Level::Refusal::full) return is_closing();
  hosted_.counters.dropped_client.add();
  return true;
} catch (const std::bad_alloc&) {
  hosted_.counters.out_of_memory.add();
  return true;
}

}  // namespace superd
