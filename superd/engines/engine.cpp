#include "superd/engines/engine.h"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "superd/engines/transfer.h"

namespace superd {

Engine::Engine() : timers_(Clock::now()), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wake_.is_open()) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Engine::~Engine() = default;

void Engine::turn(Time until) noexcept {
  begin_turn(until);
  while (Operation* operation = next()) operation->parked.resume();
}

void Engine::begin_turn(Time until) noexcept {
  note_stall();
  looked_after_ = now();
  if (const int code = collect(std::min(until, timers_.next()))) look_again(code);
  set_now(Clock::now());
  stage_ = Stage::events;
}

// By the coarse clock, which costs a few nanoseconds a turn and is right to a tick of the kernel's.
void Engine::note_stall() noexcept {
  constexpr Millis noticeable{10};
  timespec coarse{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
  const Time here{Seconds(coarse.tv_sec) + std::chrono::nanoseconds(coarse.tv_nsec)};
  const auto stall = here - now();
  if (stall > noticeable) grace_until_ = here + stall;
}

bool Engine::is_overdue(Operation& operation) noexcept {
  if (operation.deadline > now()) return false;
  const bool waits_for_client = operation.kind == Kind::read || operation.kind == Kind::write;
  if (!waits_for_client || grace_until_ <= now() || std::exchange(operation.had_grace, true)) return true;
  operation.deadline = grace_until_;
  return false;
}

// Interrupted, perhaps by a stop of minutes (SIGSTOP): what has arrived meanwhile comes before the timers. Any other
// failure, a shortage of memory, must not make the loop spin.
void Engine::look_again(int code) noexcept {
  if (code != EINTR) std::this_thread::sleep_for(retry_pause);
  (void)collect(Time{});
}

Operation* Engine::next() noexcept {
  inline_left_ = inline_turns;
  for (;;) {
    if (Operation* operation = step()) return operation;
    switch (stage_) {
      case Stage::events:
        take_requests();
        stage_ = Stage::requests;
        break;
      case Stage::requests:
        timers_.ripen(looked_after_);
        stage_ = Stage::timers;
        break;
      case Stage::timers: stage_ = Stage::over; break;
      case Stage::over: return nullptr;
    }
  }
}

Operation* Engine::step() noexcept {
  switch (stage_) {
    case Stage::events: return next_event();
    case Stage::requests: return next_request();
    case Stage::timers: return next_timer();
    case Stage::over: break;
  }
  return nullptr;
}

Operation* Engine::completed(Operation& operation, Outcome outcome) noexcept {
  operation.is_held = false;
  operation.kind = Kind::none;
  operation.outcome = outcome;
  return &operation;
}

void Engine::complete(Operation& operation, Outcome outcome) noexcept {
  inline_left_ = inline_turns;
  completed(operation, outcome)->parked.resume();
}

Operation* Engine::next_timer() noexcept {
  while (Timer* timer = timers_.take_ripe())
    if (Operation* operation = timer_came_up(static_cast<Operation&>(*timer))) return operation;
  return nullptr;
}

void Engine::cancel_timers() noexcept {
  Job* under_way = nullptr;
  // Not until the wheel is empty: who was resumed may wait anew, as a listener does that pauses.
  timers_.ripen_all();
  while (Timer* timer = timers_.take_ripe()) {
    auto& operation = static_cast<Operation&>(*timer);
    if (!operation.is_held) continue;
    if (operation.kind == Kind::work && !background().take_back(*operation.work)) {
      operation.work->next = std::exchange(under_way, operation.work);
      continue;
    }
    withdraw(operation);
    complete(operation, Outcome::cancelled);
  }
  // Last, when no more of it can begin.
  while (under_way) {
    auto& work = static_cast<Work&>(*std::exchange(under_way, under_way->next));
    background().wait_for(work);
    auto& operation = *work.operation;
    withdraw(operation);
    forget_requests(operation);
    complete(operation, Outcome::cancelled);
  }
}

bool Engine::wait_in_wheel(Operation& operation) noexcept {
  if (operation.kind == Kind::signal && std::exchange(operation.signalled, false)) {
    operation.outcome = Outcome::done;
    return true;
  }
  if (operation.kind == Kind::work && !hand_over(operation)) return true;
  // Without a deadline too: cancel_all() finds it there.
  timers_.put(operation, operation.deadline);
  return false;
}

// False: there is no thread to be had. It is done here then, and holds up the loop: better than not at all.
bool Engine::hand_over(Operation& operation) noexcept {
  Work& work = *operation.work;
  work.waiter = this;
  work.operation = &operation;
  work.ended = [](Job& ended) noexcept {
    const auto& of = static_cast<Work&>(ended);
    of.waiter->signal(*of.operation);
  };
  operation.outcome = Outcome::done;
  if (background().submit(work)) return true;
  work.run(work);
  return false;
}

// Its end, or that it shall not be: what has begun goes on, and its end comes as well.
Operation* Engine::told_about_work(Operation& operation, Request::What what) noexcept {
  if (what == Request::What::cancel) {
    operation.outcome = Outcome::cancelled;
    if (!background().take_back(*operation.work)) return nullptr;
  }
  withdraw(operation);
  return completed(operation, operation.outcome);
}

void Engine::park_for_retry(Operation& operation, Time when) noexcept {
  timers_.put_by(operation, std::min(when, operation.deadline));
}

void Engine::wake() noexcept {
  const std::uint64_t one = 1;
  // EAGAIN means that the counter is not zero, so that the loop wakes anyway.
  (void)!write(wake_.fd(), &one, sizeof one);
}

void Engine::clear_wake() const noexcept {
  std::uint64_t count;
  (void)!read(wake_.fd(), &count, sizeof count);
}

// There is nobody who could be told that there is no memory: it is waited out.
void Engine::make_room(std::vector<Request>& list) noexcept {
  while (list.size() == list.capacity()) try {
      list.reserve(std::max<std::size_t>(16, 2 * list.size()));
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(Millis{1});
    }
}

void Engine::request(Request request) {
  const std::lock_guard lock(mutex_);
  make_room(requests_);
  requests_.push_back(std::move(request));
  request_count_.store(requests_.size(), std::memory_order_release);
  // With the lock: who is resumed by this may be the last one here, and the engine is gone after it.
  wake();
}

void Engine::post(std::move_only_function<void()> function) {
  request({Request::What::run, nullptr, std::move(function)});
}
void Engine::signal(Operation& operation) noexcept { request({Request::What::signal, &operation, {}}); }
void Engine::cancel(Operation& operation) noexcept { request({Request::What::cancel, &operation, {}}); }
void Engine::adopt(Operation& operation) { request({Request::What::adopt, &operation, {}}); }

// Once a turn: what is asked for meanwhile is for the next one, which will not wait.
void Engine::take_requests() noexcept {
  if (request_count_.load(std::memory_order_acquire) == 0) return;
  const std::lock_guard lock(mutex_);
  in_work_.swap(requests_);
  request_count_.store(0, std::memory_order_release);
}

// By index: who is resumed may forget operations that stand further back.
Operation* Engine::next_request() noexcept {
  while (next_request_ < in_work_.size())
    if (Operation* operation = serve(in_work_[next_request_++])) return operation;
  in_work_.clear();
  next_request_ = 0;
  return nullptr;
}

Operation* Engine::serve(Request& request) noexcept {
  if (request.function) {
    request.function();
    return nullptr;
  }
  Operation* operation = std::exchange(request.operation, nullptr);
  if (!operation) return nullptr;
  if (request.what == Request::What::adopt) return wait(*operation) ? operation : nullptr;
  const bool is_signal = request.what == Request::What::signal;
  if (operation->is_held && operation->kind == Kind::work) return told_about_work(*operation, request.what);
  if (!operation->is_held || (is_signal && operation->kind != Kind::signal)) {
    operation->signalled = operation->signalled || is_signal;
    return nullptr;
  }
  withdraw(*operation);
  return completed(*operation, is_signal ? Outcome::done : Outcome::cancelled);
}

void Engine::forget_requests(Operation& operation) noexcept {
  // Only when a conversation is given up before its end: the work may refer to it.
  if (operation.kind == Kind::work) {
    if (!background().take_back(*operation.work)) background().wait_for(*operation.work);
    operation.kind = Kind::none;
  }
  for (auto& request : in_work_)
    if (request.operation == &operation) request.operation = nullptr;
  if (request_count_.load(std::memory_order_acquire) == 0) return;
  const std::lock_guard lock(mutex_);
  for (auto& request : requests_)
    if (request.operation == &operation) request.operation = nullptr;
}

}  // namespace superd
