#include "superd/lab/waits.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <ctime>

namespace superd {

namespace {

std::atomic<bool> interrupted{false};
sigset_t while_waiting;  // the mask in which a wait lets the signals in
bool signals_are_kept = false;

void note_signal(int number) {
  interrupted = true;
  // The second one does what it does to any program.
  signal(number, SIG_DFL);
}

timespec time_until(Time until) noexcept {
  const auto left = std::max(until - Clock::now(), Clock::duration::zero());
  const auto seconds = std::chrono::duration_cast<Seconds>(left);
  return {static_cast<time_t>(seconds.count()), static_cast<long>(std::chrono::nanoseconds(left - seconds).count())};
}

}  // namespace

void end_waits_by_signals() {
  sigset_t kept;
  sigemptyset(&kept);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction action{};
    action.sa_handler = note_signal;
    sigaction(number, &action, nullptr);
    sigaddset(&kept, number);
  }
  // Blocked outside of the wait, so that none is missed just before it begins.
  sigprocmask(SIG_BLOCK, &kept, &while_waiting);
  signals_are_kept = true;
}

bool was_interrupted() noexcept { return interrupted; }

void wait_for(std::span<pollfd> descriptors, Time until) noexcept {
  const auto left = time_until(until);
  ::ppoll(descriptors.data(), descriptors.size(), until == never ? nullptr : &left,
          signals_are_kept ? &while_waiting : nullptr);
}

bool pause_for(Clock::duration time) noexcept {
  const auto until = Clock::now() + time;
  while (!was_interrupted() && Clock::now() < until) wait_for({}, until);
  return !was_interrupted();
}

}  // namespace superd
