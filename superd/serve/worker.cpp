#include "superd/serve/worker.h"

#include <unistd.h>

#include <new>

namespace superd {

Worker::Worker(HostedService& hosted) noexcept
    : board_(hosted.shared_board), rows_(board_->workers()), row_(rows_.claim()) {
  if (!row_) hosted.counters.rows_full.add();
}

Worker::~Worker() {
  if (row_) rows_.release(*row_);
}

void Worker::open_door() noexcept {
  if (!row_) return;
  row_->thread.store(gettid(), std::memory_order_relaxed);
  row_->since.store(Clock::now(), std::memory_order_relaxed);
  row_->doors.fetch_add(1, std::memory_order_relaxed);
}

void Worker::leave_door() noexcept {
  if (!row_) return;
  row_->doors.fetch_sub(1, std::memory_order_relaxed);
  row_->since.store(Clock::now(), std::memory_order_relaxed);
}

void Worker::begin(const ClientKey& client, Time now) noexcept {
  if (!row_) return;
  // Asking for the id is a system call.
  if (const auto self = pthread_self(); thread_.load(std::memory_order_relaxed) != self) {
    thread_.store(self, std::memory_order_relaxed);
    row_->thread.store(gettid(), std::memory_order_relaxed);
  }
  row_->begin(client, now);
}

void Worker::end(Time now) noexcept {
  if (!row_) return;
  row_->since.store(now, std::memory_order_relaxed);
  row_->ended.fetch_add(1, std::memory_order_release);
}

bool Worker::is_idle() const noexcept {
  // In this order: what has ended has begun before.
  const auto ended = row_->ended.load(std::memory_order_acquire);
  return row_->doors.load(std::memory_order_relaxed) == 0 && row_->begun.load(std::memory_order_relaxed) == ended;
}

Worker* Workers::of(HostedService& hosted) noexcept try {
  const auto board = hosted.board.id();
  for (const auto& entry : entries_)
    if (entry.board == board) return entry.worker.get();
  entries_.reserve(entries_.size() + 1);
  auto worker = std::make_unique<Worker>(hosted);
  // Without a row it has nothing to tell, and would keep the scoreboard.
  if (!worker->has_row()) worker.reset();
  return entries_.emplace_back(board, std::move(worker)).worker.get();
} catch (const std::bad_alloc&) {
  return nullptr;
}

void Workers::forget_idle() noexcept {
  std::erase_if(entries_, [](const Entry& entry) { return !entry.worker || entry.worker->is_idle(); });
}

}  // namespace superd
