#include "superd/serve/worker_rows.h"

#include <unistd.h>

namespace superd {

WorkerRows::View WorkerRows::Row::view() const noexcept {
  View seen{};
  seen.process = process.load(std::memory_order_relaxed);
  seen.thread = thread.load(std::memory_order_relaxed);
  seen.program = program.load(std::memory_order_relaxed);
  // Two words of an address that were written at different times would be nobody's. A worker that is quicker than the
  // reader this often is shown with what was read last.
  for (int tries = 0; tries < 8; ++tries) {
    seen.since = since.load(std::memory_order_acquire);
    seen.client.high = client_high.load(std::memory_order_acquire);
    seen.client.low = client_low.load(std::memory_order_acquire);
    if (seen.since != Time{} && since.load(std::memory_order_relaxed) == seen.since) break;
  }
  // In this order: what ends later has begun before.
  seen.served = ended.load(std::memory_order_acquire);
  seen.under_way = begun.load(std::memory_order_relaxed) - seen.served;
  if (seen.under_way > 0)
    seen.state = State::serving;
  else
    seen.state = doors.load(std::memory_order_relaxed) > 0 ? State::waiting : State::idle;
  return seen;
}

void WorkerRows::Row::begin(const ClientKey& client, Time now) noexcept {
  // No time while the address changes, so that who reads meanwhile notices.
  since.store(Time{}, std::memory_order_relaxed);
  client_high.store(client.high, std::memory_order_release);
  client_low.store(client.low, std::memory_order_release);
  since.store(now, std::memory_order_release);
  begun.fetch_add(1, std::memory_order_relaxed);
}

void WorkerRows::Row::begin(pid_t started, const ClientKey& client, Time now) noexcept {
  program.store(started, std::memory_order_relaxed);
  begin(client, now);
}

std::vector<WorkerRows::View> WorkerRows::snapshot() const {
  std::vector<View> all;
  for (const auto& row : rows_) {
    const auto seen = row.view();
    if (seen.process != 0) all.push_back(seen);
  }
  return all;
}

WorkerRows::Row* WorkerRows::claim() noexcept {
  const pid_t me = getpid();
  const auto first = next_.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < size; ++i) {
    Row& row = rows_[(first + i) % size];
    pid_t nobody = 0;
    if (row.process.load(std::memory_order_relaxed) != 0) continue;
    if (!row.process.compare_exchange_strong(nobody, me, std::memory_order_acq_rel)) continue;
    next_.store((first + i + 1) % size, std::memory_order_relaxed);
    return &row;
  }
  return nullptr;
}

// Empty before it is free: the next one begins with nothing, and only what is used is ever touched.
void WorkerRows::release(Row& row) noexcept {
  row.thread.store(0, std::memory_order_relaxed);
  row.program.store(0, std::memory_order_relaxed);
  row.doors.store(0, std::memory_order_relaxed);
  row.since.store(Time{}, std::memory_order_relaxed);
  row.client_high.store(0, std::memory_order_relaxed);
  row.client_low.store(0, std::memory_order_relaxed);
  row.ended.store(0, std::memory_order_relaxed);
  row.begun.store(0, std::memory_order_relaxed);
  row.process.store(0, std::memory_order_release);
  // The lowest free one next, so that few rows serve many threads after each other.
  auto seen = next_.load(std::memory_order_relaxed);
  const auto index = static_cast<std::uint32_t>(&row - rows_.data());
  while (index < seen && !next_.compare_exchange_weak(seen, index, std::memory_order_relaxed)) {
  }
}

void WorkerRows::release_process(pid_t process) noexcept {
  for (auto& row : rows_) {
    const pid_t owner = row.process.load(std::memory_order_acquire);
    const bool is_dead = process != 0 ? owner == process : owner != getpid();
    if (owner != 0 && is_dead) release(row);
  }
}

}  // namespace superd
