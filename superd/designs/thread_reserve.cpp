#include "superd/designs/thread_reserve.h"

#include <algorithm>
#include <new>

#include "superd/base/thread.h"

namespace superd {

// Under the lock. Null: no spare, and no thread to be had.
ReserveThread* ThreadReserve::choose() noexcept {
  ReserveThread* chosen = nullptr;
  if (!spares_.empty()) {
    chosen = spares_.back();
    spares_.pop_back();
  } else if (std::ssize(threads_) < most_) {
    chosen = start();
  }
  const bool was_at_bound = std::exchange(at_bound_, chosen == nullptr);
  if (at_bound_ && !was_at_bound) note(Decisions::What::threads_at_bound);
  return chosen;
}

// Under the lock.
ReserveThread* ThreadReserve::start() noexcept try {
  // Room for all of them, so that becoming a spare never needs memory.
  spares_.reserve(threads_.size() + 1);
  Threads fresh;
  const auto self = fresh.emplace(fresh.end());
  // It begins with the lock, which we have: by then it is one of ours.
  if (!Thread::start_detached(name_, [this, self] { run(self); })) return nullptr;
  threads_.splice(threads_.end(), fresh);
  note(Decisions::What::thread_started);
  return &*self;
} catch (const std::bad_alloc&) {
  return nullptr;
}

void ThreadReserve::begin(ReserveThread& chosen, Leadable& work) noexcept {
  chosen.work_ = &work;
  chosen.wake_.notify_one();
}

void ThreadReserve::run(Threads::iterator self) noexcept {
  // Whoever takes over must get at a processor while the conversation that is late has it.
  Thread::take_short_slices();
  std::unique_lock lock(mutex_);
  self->id_ = pthread_self();
  while (wait_for_work(*self, lock)) {
    auto* const work = self->work_;
    lock.unlock();
    work->lead(*self);
    lock.lock();
    self->work_ = nullptr;
    spares_.push_back(&*self);
  }
  std::erase(spares_, &*self);
  threads_.erase(self);
  if (!ending_) note(Decisions::What::thread_ended);
  gone_.notify_all();
}

bool ThreadReserve::wait_for_work(ReserveThread& self, std::unique_lock<std::mutex>& lock) noexcept {
  const auto until = Clock::now() + keep;
  self.wake_.wait_until(lock, until, [&] { return self.work_ || ending_; });
  return self.work_;
}

void ThreadReserve::interrupt(const ReserveThread* thread) noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& each : threads_)
    if (&each == thread && each.id_ != pthread_t{}) Thread::interrupt(each.id_);
}

void ThreadReserve::cancel_all() noexcept {
  const std::lock_guard lock(mutex_);
  for (auto& each : threads_) each.blocking.cancel_all();
}

ThreadReserve::Count ThreadReserve::count() const noexcept {
  const std::lock_guard lock(mutex_);
  return {static_cast<int>(threads_.size()), static_cast<int>(spares_.size())};
}

// Under the lock.
void ThreadReserve::note(Decisions::What what) noexcept {
  decisions_.note(
      what, {.period = keep, .threads = static_cast<int>(threads_.size()), .spares = static_cast<int>(spares_.size())});
}

ThreadReserve::~ThreadReserve() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  for (auto& each : threads_) each.wake_.notify_one();
  gone_.wait(lock, [&] { return threads_.empty(); });
}

}  // namespace superd
