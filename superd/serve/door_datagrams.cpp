// How a Door takes datagrams in; connections are in door.cpp.

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <new>

#include "superd/serve/batch_path.h"
#include "superd/serve/door.h"
#include "superd/serve/packets.h"

namespace superd {

task<> Door::take_datagrams() {
  int left = manner_.burst;
  while (may_take_in()) {
    if (hosted_.level.vacant() <= 0 && manner_.queue == 0) {
      co_await vacancy();
      continue;
    }
    if (is_too_busy()) {
      co_await calm();
      continue;
    }
    const auto count = receive_batch();
    if (!count) {
      const Trouble trouble = note_trouble(count.error());
      if (trouble == Trouble::shortage) co_await pause();
      if (trouble != Trouble::nothing_there) continue;
      if (last_calls_) co_return;
      left = manner_.burst;
      co_await more();
      continue;
    }
    is_taking_.store(false, std::memory_order_release);
    pause_ = first_pause;
    judge_batch(*count);
    for (std::size_t i = 0; i < *count; ++i) {
      if (!slots_[i]->admitted) continue;
      Place place = find_place(*slots_[i]);
      while (place == Place::none) {
        path_->flush(hosted_.counters);
        co_await vacancy();
        place = find_place(*slots_[i]);
      }
      if (place == Place::none_needed) continue;
      while (!placement_.place(listener_, slots_[i], *path_, seat_)) {
        hosted_.counters.out_of_threads.add();
        path_->flush(hosted_.counters);
        co_await pause();
      }
      co_await rest();
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
  // Without a queue, no more than have a place: what is in the socket's buffer is safe there.
  const auto wanted = manner_.queue > 0 ? slots_.size() : static_cast<std::size_t>(std::max(1, hosted_.level.vacant()));
  const auto most = std::min({slots_.size(), room.size(), wanted});
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
    if (slot.kernel_drops) listener_->note_kernel_drops(slot.kernel_drops);
    slot.admitted = false;
    slot.received = waiter_.now();
    if (listener_->is_raw() && !open_packet(slot, *listener_)) {
      counters.dropped_malformed.add();
      continue;
    }
    bytes += slot.size;
    if (slot.truncated) {
      counters.dropped_truncated.add();
      continue;
    }
    if (const auto answer = hosted_.admission.admit(slot.from, waiter_.now());
        answer.kind != Admission::Answer::Kind::yes) {
      note_refusal(answer.why, slot.from);
      continue;
    }
    if (slot.silent) {
      slot.admitted = true;
      continue;
    }
    slot.known = hosted_.answers.trusts(slot.from) ||
                 (hosted_.service && hosted_.service->recognises(slot.from, slot.payload()));
    switch (judge(slot)) {
      case AnswerGuard::Verdict::answer: slot.admitted = true; break;
      case AnswerGuard::Verdict::bad_source: counters.dropped_source.add(); break;
      case AnswerGuard::Verdict::over_rate: counters.dropped_rate.add(); break;
    }
  }
  counters.bytes_in.add(bytes);
}

AnswerGuard::Verdict Door::judge(const DatagramSlot& slot) noexcept {
  auto& answers = hosted_.answers;
  return listener_->is_raw() ? answers.judge_packet(slot.from, waiter_.now(), slot.known)
                             : answers.judge(slot.from, slot.to, waiter_.now(), slot.known);
}

// None: the level is reached. None needed: dropped, or kept for later.
Door::Place Door::find_place(const DatagramSlot& slot) noexcept {
  if (manner_.queue == 0) return seat_datagram(slot);
  // Whoever waits already comes first; and while handlers are slow, receiving must not wait for them.
  const Place place = queues() ? Place::none : seat_datagram(slot);
  if (place != Place::none) return place;
  if (!queue_.put(slot)) hosted_.counters.dropped_queue.add();
  return Place::none_needed;
}

Door::Place Door::seat_datagram(const DatagramSlot& slot) noexcept try {
  auto& level = hosted_.level;
  // Where one client may have every place there is, whose this one is need not be known.
  auto taken = level.per_client() >= level.level() ? level.take() : level.take(ClientKey::of(slot.from), -1);
  if (taken) {
    seat_ = std::move(*taken);
    seat_.note_taken_in(slot.received);
    return Place::found;
  }
  const bool is_full = taken.error() == Level::Refusal::full;
  if (is_full && is_closing()) {
    hosted_.counters.refused_level.add();
    return Place::none_needed;
  }
  if (is_full || manner_.queue > 0) return Place::none;
  hosted_.counters.dropped_client.add();
  return Place::none_needed;
} catch (const std::bad_alloc&) {
  hosted_.counters.out_of_memory.add();
  return Place::none_needed;
}

bool Door::place_queued() noexcept {
  if (!queued_slot_) queued_slot_.reset(new (std::nothrow) DatagramSlot);
  if (!queued_slot_) return false;
  // A client that has its share lets others go first.
  constexpr std::size_t most_tries = 16;
  for (auto tries = std::min(queue_.count(), most_tries); tries > 0; --tries) {
    queue_.copy_first(*queued_slot_);
    const Place place = seat_datagram(*queued_slot_);
    if (place == Place::none) {
      if (hosted_.level.vacant() <= 0) return false;
      queue_.put_first_last();
      continue;
    }
    queue_.drop_first();
    if (!has_queued()) was_late_ = false;
    if (place == Place::found && placement_.place(listener_, queued_slot_, *path_, seat_)) return true;
  }
  return false;
}

void Door::flush() noexcept {
  if (path_) path_->flush(hosted_.counters);
}

}  // namespace superd
