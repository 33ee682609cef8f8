#include "superd/serve/door.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <thread>
#include <utility>

#include "superd/base/log.h"
#include "superd/serve/batch_path.h"

namespace superd {

namespace {

// How many connections wait in a listener's backlog (tcpi_unacked of a listening socket); a few where the kernel cannot
// tell, which is at unix sockets and of datagrams, which come in batches.
int queued_at(const Listener& listener) noexcept {
  constexpr int a_few = 16;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (listener.transport != Transport::tcp) return a_few;
  if (getsockopt(listener.socket.fd(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return static_cast<int>(info.tcpi_unacked);
}

}  // namespace

Door::Door(std::shared_ptr<Listener> listener, Waiter& waiter, Placement& placement, Manner manner)
    : listener_(std::move(listener)),
      hosted_(*listener_->hosted),
      waiter_(waiter),
      placement_(placement),
      manner_(manner),
      pause_(first_pause),
      queue_(manner.queue) {
  operation_.is_brief = true;
  operation_.fd = listener_->socket.fd();
  if (is_stream(listener_->transport)) return;
  slots_.resize(static_cast<std::size_t>(manner_.batch));
  path_ = std::make_unique<BatchPath>(*listener_);
}

Door::~Door() = default;

// A door without its frames would be one that nobody stands at: a lack of memory is waited out.
void Door::open() noexcept {
  do {
    try {
      task<> taking_in = is_stream(listener_->transport) ? take_connections() : take_datagrams();
      attend(taking_in);
      return;
    } catch (const std::bad_alloc&) {
      hosted_.counters.out_of_memory.add();
      std::this_thread::sleep_for(first_pause);
    }
  } while (end_.load() == Ending::open);
  closed_.store(true, std::memory_order_release);
}

void Door::close() noexcept {
  end_.store(Ending::closes);
  waiter_.cancel(operation_);
}

void Door::leave() noexcept {
  Ending open = Ending::open;
  end_.compare_exchange_strong(open, Ending::leaves);
  // Also where it has left already: nobody else may come who would wake it to its end.
  if (!is_closed()) waiter_.cancel(operation_);
}

detached Door::attend(task<>& made) {
  const task<> taking_in = std::move(made);
  // Not within the call of open(), which cannot begin what is placed.
  if (manner_.rests && !manner_.blocking) co_await more();
  placement_.note_open(hosted_);
  co_await taking_in;
  placement_.note_closed(hosted_);
  hosted_.level.withdraw(operation_);
  waiter_.forget(operation_);
  is_taking_.store(false, std::memory_order_release);
  closed_.store(true, std::memory_order_release);
}

// Until there may be somebody to take in, or something else to do. A socket that should block and does not was switched by another process that
// shares it: a pause keeps that from spinning.
Wait Door::more() noexcept {
  is_taking_.store(false, std::memory_order_release);
  pass_vacancy_on();
  if (hosted_.refusals.next() <= waiter_.now()) hosted_.refusals.tell_rest(waiter_.now());
  operation_.kind = manner_.blocking ? Kind::sleep : Kind::readable;
  operation_.deadline = manner_.blocking ? Clock::now() + first_pause : next_chore();
  return {waiter_, operation_};
}

// While closing, those who already wait are let in, and nobody is waited for.
bool Door::may_take_in() noexcept {
  is_taking_.store(true);
  const Ending end = end_.load();
  if (end == Ending::open) return true;
  if (end == Ending::leaves) return false;
  if (!last_calls_) last_calls_ = queued_at(*listener_);
  return (*last_calls_)-- > 0 && hosted_.level.vacant() > 0;
}

task<> Door::take_connections() {
  int left = manner_.burst;
  for (;;) {
    const bool takes_in = may_take_in();
    if (!takes_in && !has_delayed()) break;
    if (takes_in && hosted_.limits->when_full == WhenFull::wait && hosted_.level.vacant() <= 0) {
      co_await vacancy();
      continue;
    }
    if (takes_in && is_too_busy()) {
      co_await calm();
      continue;
    }
    if (const Time due = placement_.held_back_until(); takes_in && due > waiter_.now() && !is_closing()) {
      co_await pause_until(due);
      continue;
    }
    if (const int code = takes_in ? next_client() : go_on_with_delayed()) {
      const Trouble trouble = note_trouble(code);
      if (trouble == Trouble::shortage) co_await pause();
      if (trouble != Trouble::nothing_there) continue;
      left = manner_.burst;
      // Only when it was a look after closing: who came between the look and the closing is in the backlog now.
      if (last_calls_)
        last_calls_ = 0;
      else
        co_await more();
      continue;
    }
    take_seat();
    // Between our look at the level and accept(2), another door at the same level may have been quicker.
    while (accepted_.is_open() && !seat_.is_taken()) {
      if (is_closing()) refuse(Refusal::level);
      co_await vacancy();
      take_seat();
    }
    const bool is_let_in = accepted_.is_open();
    if (is_let_in) greet();
    while (is_let_in && !placement_.place(hosted_, accepted_, seat_)) {
      hosted_.counters.out_of_threads.add();
      co_await pause();
    }
    pause_ = first_pause;
    if (is_let_in) co_await rest();
    if (--left == 0) {
      left = manner_.burst;
      co_await more();
    }
  }
  tarpit_.clear();
}

void Door::go_on(bool late) noexcept {
  was_late_ = was_late_ || late;
  std::exchange(resting_, {}).resume();
}

// Until a place may be free; at once when one is, or when we are closing; after a pause when there is no memory to ask.
Wait Door::vacancy() noexcept try {
  auto& level = hosted_.level;
  level.withdraw(operation_);
  operation_.kind = Kind::signal;
  // Another process cannot signal here.
  constexpr Millis look_again{20};
  operation_.deadline = level.is_told_late() ? waiter_.now() + look_again : tarpit_.next();
  if (is_closing() || !level.ask_for_vacancy(waiter_, operation_))
    operation_.signalled = true;
  else if (!has_asked_)
    hosted_.counters.full.add();
  has_asked_ = true;
  return {waiter_, operation_};
} catch (const std::bad_alloc&) {
  hosted_.counters.out_of_memory.add();
  return pause();
}

// While the machine is too busy. Its load is looked at once a second.
Wait Door::calm() noexcept {
  constexpr Millis look_again{250};
  is_taking_.store(false, std::memory_order_release);
  pass_vacancy_on();
  hosted_.counters.overloaded.add();
  operation_.kind = Kind::sleep;
  operation_.deadline = Clock::now() + look_again;
  return {waiter_, operation_};
}

// It was told of a place and now waits for something else: another door at the level may have a client for it.
void Door::pass_vacancy_on() noexcept {
  if (std::exchange(has_asked_, false)) hosted_.level.withdraw(operation_);
}

Wait Door::pause() noexcept {
  const Time due = Clock::now() + pause_;
  pause_ = std::min(pause_ * 2, longest_pause);
  return pause_until(due);
}

Wait Door::pause_until(Time due) noexcept {
  is_taking_.store(false, std::memory_order_release);
  pass_vacancy_on();
  operation_.kind = Kind::sleep;
  operation_.deadline = due;
  return {waiter_, operation_};
}

Trouble Door::note_trouble(int code) noexcept {
  const Trouble trouble = trouble_of(code);
  if (trouble == Trouble::gone) hosted_.counters.failed_accept.add();
  if (trouble != Trouble::shortage) return trouble;
  const bool descriptors = code == EMFILE || code == ENFILE;
  (descriptors ? hosted_.counters.out_of_descriptors : hosted_.counters.out_of_memory).add();
  // Once a shortage, not once a try.
  if (pause_ == first_pause) tell_pause(code);
  return trouble;
}

void Door::tell_pause(int code) const noexcept try {
  log_event(Severity::warning, "listener pauses",
            {
                {"service", hosted_.name           },
                {"on",      listener_->local.text()},
                {"why",     errno_text(code)       }
  });
} catch (const std::bad_alloc&) {
  // No memory for the words; it is counted all the same.
}

bool PlaceHere::place(HostedService& hosted, Socket& socket, Seat& seat) try {
  converse(hosted, socket, waiter_, seat, workers_.of(hosted));
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

bool PlaceHere::place(const std::shared_ptr<Listener>& listener, std::unique_ptr<DatagramSlot>& slot, AnswerPath& path,
                      Seat& seat) try {
  converse(listener, slot, path, waiter_, seat, workers_.of(*listener->hosted));
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void PlaceHere::note_open(HostedService& hosted) noexcept {
  if (Worker* const worker = workers_.of(hosted)) worker->open_door();
}

void PlaceHere::note_closed(HostedService& hosted) noexcept {
  if (Worker* const worker = workers_.of(hosted)) worker->leave_door();
}

}  // namespace superd
