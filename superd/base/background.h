#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "superd/base/clock.h"

namespace superd {

/// A call to be made in a thread of a Background. It lies with whoever submits it, where it stays until it has ended or
/// was taken back: queueing it takes no memory, and there are never more of them than there are who wait for one.
struct Job {
  enum class State : std::uint8_t { idle, queued, running, ended };

  void (*run)(Job&) noexcept = nullptr;
  /// After run(), in the same thread: the last that the Background has to do with this job, which may be gone before
  /// the call returns. It may not call the Background.
  void (*ended)(Job&) noexcept = nullptr;

  State state = State::idle;  ///< of the Background
  Job* next = nullptr;        ///< of the Background while the job is queued
};

/// A few threads for what would hold up others: made when there is work for them, up to a bound, and let go when they
/// have had none for a while. All threads may call.
class Background {
 public:
  struct Figures {
    int threads = 0;  ///< that there are now
    int peak = 0;     ///< that there were at once
    int queued = 0;   ///< jobs that wait for a thread now
    int longest = 0;  ///< queue there was
    std::uint64_t ended = 0;
    std::uint64_t waited = 0;   ///< jobs that had to wait because all threads were busy
    std::uint64_t refused = 0;  ///< jobs for which there was no thread and none could be made
  };

  Background(int most_threads, Millis idle) noexcept : most_threads_(most_threads), idle_time_(idle) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  /// Waits for its threads; nobody may wait for a job any more.
  ~Background();

  /// Runs the job soon, one after the other when all threads are busy. False, and nothing done, when there is no thread
  /// at all and the system has none to give.
  [[nodiscard]] bool submit(Job&) noexcept;

  /// True: the job had not begun and will not. False: it runs, or has ended.
  [[nodiscard]] bool take_back(Job&) noexcept;

  /// Until a job that could not be taken back has ended. The caller answers for the job's life until this returns.
  void wait_for(const Job&) noexcept;

  [[nodiscard]] Figures figures() const noexcept;

 private:
  /// A thread without work, on its own stack.
  struct Idle {
    std::condition_variable called;
    Job* job = nullptr;
    Idle* next = nullptr;
  };

  void work() noexcept;
  Job* next_job(std::unique_lock<std::mutex>&) noexcept;
  void push(Job&) noexcept;
  Job* pop() noexcept;
  void remove(const Idle&) noexcept;
  bool add_thread() noexcept;

  const int most_threads_;
  const Millis idle_time_;

  mutable std::mutex mutex_;
  std::condition_variable job_ended_, thread_ended_;
  int awaited_ = 0;  // calls of wait_for() under way
  bool ending_ = false;
  Figures figures_;
  std::uint64_t refused_when_told_ = 0;  // the next refusal is the first of its shortage
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  // The one that fell idle last is called first, so that those who are not needed stay idle and go.
  Idle* idle_ = nullptr;
};

/// That of the process, for all loops together. Twice as many threads as processors, for they mostly wait for a disk or
/// a name server, and at least four; a thread without work goes after five seconds: between two requests of a person it
/// stays, in a quiet server there is none.
[[nodiscard]] Background& background() noexcept;

}  // namespace superd
