#include "superd/designs/watch.h"

#include <linux/membarrier.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "superd/base/thread_load.h"

namespace superd {

namespace {

bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0) == 0; }

}  // namespace

Result<> Watch::start() {
  // Where it is missing (forbidden, say), the fence in disarm() has to do; see there.
  (void)membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  auto thread = Thread::start("watch", [this] { run(); });
  if (!thread) return std::unexpected(thread.error());
  std::construct_at(&thread_, std::move(*thread));
  return {};
}

void Watch::add(Watched& watched) {
  const std::lock_guard lock(mutex_);
  entries_.push_back({&watched, watched.turn()});
}

void Watch::remove(Watched& watched) noexcept {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.watched == &watched; });
}

void Watch::run() noexcept {
  // Timers of ordinary threads may be late by 50 us, which is all the time there is.
  Thread::take_short_slices();
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (!armed_.load(std::memory_order_relaxed)) {
      woken_.wait(lock, [&] { return ending_ || armed_.load(std::memory_order_relaxed); });
      remember();
    }
    woken_.wait_for(lock, patience_.period(), [&] { return ending_; });
    if (!look()) disarm();
  }
}

void Watch::arm_now() noexcept {
  if (armed_.exchange(true)) return;
  {
    // So that it is not between its look at armed_ and its sleep.
    const std::lock_guard lock(mutex_);
  }
  woken_.notify_one();
}

// A conversation stores its turn and then looks at armed_; here it is the other way round. One of the two sees the
// other's store if both keep their order: the barrier orders the conversations' side from here, so that they need none
// of their own, which would cost each of them more than all else does.
void Watch::disarm() noexcept {
  armed_.store(false, std::memory_order_seq_cst);
  (void)membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  const bool any = std::ranges::any_of(entries_, [](const Entry& e) { return Baton::is_running(e.watched->turn()); });
  if (any) armed_.store(true, std::memory_order_relaxed);
}

// Who has just begun is not late before a whole period has passed.
void Watch::remember() noexcept {
  for (auto& entry : entries_) {
    entry.seen = entry.watched->turn();
    if (Baton::is_running(entry.seen)) see(entry);
  }
}

void Watch::see(Entry& entry) const noexcept {
  const pid_t thread = entry.watched->thread();
  entry.used = thread ? processor_time_of(thread) : std::chrono::nanoseconds{};
}

// Where there are fewer processors than threads that compute, a short turn lasts as long as the others do not let it run.
// Another thread would have to wait for a processor as well, and would be one more that wants it.
bool Watch::only_waits_for_a_processor(const Entry& entry) const noexcept {
  const pid_t thread = entry.watched->thread();
  if (thread == 0 || processor_time_of(thread) - entry.used >= patience_.period() / 4) return false;
  return is_runnable(thread);
}

// Whether anything runs, so that looking again is worth it.
bool Watch::look() noexcept {
  ++looks_;
  std::uint64_t begun = 0;
  bool any_runs = false, any_late = false;
  for (auto& entry : entries_) {
    const auto turn = entry.watched->turn();
    begun += (turn - entry.seen + 1) / 2;
    const bool is_same = turn == std::exchange(entry.seen, turn);
    if (!Baton::is_running(turn)) continue;
    any_runs = true;
    if (!is_same) see(entry);
    if (!is_same || only_waits_for_a_processor(entry)) continue;
    any_late = true;
    if (entry.watched->hand_over(turn)) ++hand_overs_;
  }
  adjust([&] { patience_.note_look(begun, any_late); });
  return any_runs;
}

void Watch::note_hand_over(Patience::Nanos cost, bool was_late) noexcept {
  const std::lock_guard lock(mutex_);
  if (!was_late) ++hand_overs_;
  adjust([&] { was_late ? patience_.note_hand_over(cost) : patience_.note_cost(cost); });
}

void Watch::note_duration(Patience::Nanos served) noexcept {
  const std::lock_guard lock(mutex_);
  adjust([&] { patience_.note_duration(served); });
}

// Under the lock. What changed is written down with its reason.
template <class Change>
void Watch::adjust(Change change) noexcept {
  const auto period = patience_.period();
  const bool at_once = patience_.hands_over_at_once();
  change();
  const Decisions::Figures figures{
      .late_share = patience_.late_share(), .cost = patience_.cost(), .period = patience_.period()};
  using enum Decisions::What;
  if (patience_.period() > period) decisions_.note(looks_less_often, figures);
  if (patience_.period() < period) decisions_.note(looks_more_often, figures);
  if (patience_.hands_over_at_once() == at_once) return;
  decisions_.note(at_once ? waits_again : hands_over_at_once_now, figures);
  at_once_.store(!at_once, std::memory_order_relaxed);
}

Watch::State Watch::state() const noexcept {
  const std::lock_guard lock(mutex_);
  return {patience_.period(), patience_.cost(), patience_.late_share(), patience_.hands_over_at_once(), looks_,
          hand_overs_};
}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  woken_.notify_one();
  thread_.join();
}

}  // namespace superd
