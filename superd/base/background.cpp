#include "superd/base/background.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <thread>
#include <utility>

#include "superd/base/log.h"
#include "superd/base/thread.h"

namespace superd {

Background::~Background() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  for (Idle* idle = idle_; idle; idle = idle->next) idle->called.notify_one();
  thread_ended_.wait(lock, [&] { return figures_.threads == 0; });
}

bool Background::submit(Job& job) noexcept {
  const std::lock_guard lock(mutex_);
  if (idle_) {
    Idle& called = *std::exchange(idle_, idle_->next);
    job.state = Job::State::running;
    called.job = &job;
    called.called.notify_one();
    return true;
  }
  const bool more = figures_.threads < most_threads_ && add_thread();
  if (figures_.threads == 0) {
    // Once a shortage, not once a job.
    if (figures_.refused++ == refused_when_told_)
      log_event(Severity::warning, "no background thread",
                {
                    {"then", "what should run there holds up others"}
      });
    return false;
  }
  push(job);
  if (!more) ++figures_.waited;
  return true;
}

// With the lock: two who find no thread at the same time must not each rely on the other's.
bool Background::add_thread() noexcept {
  try {
    if (const auto started = Thread::start_detached("background", [this] { work(); }); started) {
      figures_.peak = std::max(figures_.peak, ++figures_.threads);
      refused_when_told_ = figures_.refused;
      return true;
    }
  } catch (const std::bad_alloc&) {
    // As without a thread.
  }
  return false;
}

bool Background::take_back(Job& job) noexcept {
  const std::lock_guard lock(mutex_);
  if (job.state != Job::State::queued) return false;
  Job* before = nullptr;
  for (Job* each = first_; each != &job; each = each->next) before = each;
  (before ? before->next : first_) = job.next;
  if (last_ == &job) last_ = before;
  --figures_.queued;
  job.state = Job::State::idle;
  return true;
}

void Background::wait_for(const Job& job) noexcept {
  std::unique_lock lock(mutex_);
  ++awaited_;
  job_ended_.wait(lock, [&] { return job.state == Job::State::ended; });
  --awaited_;
}

Background::Figures Background::figures() const noexcept {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void Background::work() noexcept {
  std::unique_lock lock(mutex_);
  while (Job* job = next_job(lock)) {
    lock.unlock();
    job->run(*job);
    lock.lock();
    job->state = Job::State::ended;
    ++figures_.ended;
    // Under the lock, so that wait_for() returns only when nobody refers to the job any more.
    job->ended(*job);
    if (awaited_ > 0) job_ended_.notify_all();
  }
  --figures_.threads;
  thread_ended_.notify_all();
}

// Null: this thread is not needed any more.
Job* Background::next_job(std::unique_lock<std::mutex>& lock) noexcept {
  if (first_) return pop();
  Idle here;
  here.next = std::exchange(idle_, &here);
  here.called.wait_for(lock, idle_time_, [&] { return here.job || ending_; });
  if (!here.job) remove(here);
  return here.job;
}

void Background::push(Job& job) noexcept {
  job.state = Job::State::queued;
  job.next = nullptr;
  (last_ ? last_->next : first_) = &job;
  last_ = &job;
  figures_.longest = std::max(figures_.longest, ++figures_.queued);
}

Job* Background::pop() noexcept {
  Job* job = std::exchange(first_, first_->next);
  if (!first_) last_ = nullptr;
  --figures_.queued;
  job->state = Job::State::running;
  return job;
}

void Background::remove(const Idle& gone) noexcept {
  Idle** place = &idle_;
  while (*place != &gone) place = &(*place)->next;
  *place = gone.next;
}

Background& background() noexcept {
  // Never destroyed: at the program's end there may still be a thread in a call that nobody waits for any more. Not on the
  // heap: the first who needs it may find no memory there.
  alignas(Background) static std::byte room[sizeof(Background)];
  static auto& of_process =
      *::new (room) Background(std::max(4, 2 * static_cast<int>(std::thread::hardware_concurrency())), Seconds{5});
  return of_process;
}

}  // namespace superd
