#include "superd/designs/program_stand.h"

#include "superd/base/log.h"

namespace superd {

namespace {

// How soon it is asked again for a place, or a process, where there was none.
constexpr Millis pause{100};

}  // namespace

void ProgramStand::close() noexcept {
  if (closing_) return;
  closing_ = true;
  engine_.cancel(waiting_);
}

void ProgramStand::child_ended() noexcept {
  is_running_ = false;
  engine_.signal(waiting_);
}

detached ProgramStand::stand() {
  while (!closing_) {
    waiting_.fd = listener_->socket.fd();
    waiting_.kind = Kind::readable;
    waiting_.deadline = never;
    co_await Wait(engine_, waiting_);
    if (closing_) break;
    const Time again = start();
    // In the wheel, not at the listener: who is there now is the program's.
    engine_.forget(waiting_);
    waiting_.fd = -1;
    waiting_.kind = is_running_ ? Kind::signal : Kind::sleep;
    waiting_.deadline = again;
    co_await Wait(engine_, waiting_);
    if (closing_ || is_running_) break;
    const Time due = back_off_.next(Clock::now());
    if (due <= Clock::now()) continue;
    listener_->hosted->counters.held_back.add();
    if (back_off_.has_begun())
      log_event(
          Severity::warning, "program ends again and again",
          {
              {"service", listener_->hosted->name                                },
              {"then",    "it is started after a pause, which grows to 5 seconds"}
      });
    waiting_.kind = Kind::sleep;
    waiting_.deadline = due;
    co_await Wait(engine_, waiting_);
  }
  is_closed_ = true;
}

Time ProgramStand::start() noexcept {
  auto& hosted = *listener_->hosted;
  auto seat = hosted.level.take();
  if (!seat) {
    hosted.counters.full.add();
    return Clock::now() + pause;
  }
  const int fd = listener_->socket.fd();
  switch (brood_.launch(hosted, {fd, fd, errors_}, {}, *seat, this)) {
    case Brood::Born::alive: is_running_ = true; return never;
    case Brood::Born::later: hosted.counters.out_of_threads.add(); break;
    case Brood::Born::not_at_all: break;
  }
  return Clock::now() + pause;
}

}  // namespace superd
