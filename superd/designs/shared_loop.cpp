#include "superd/designs/shared_loop.h"

#include <fcntl.h>

#include <algorithm>

namespace superd {

void SharedLoop::open(const std::shared_ptr<Listener>& listener) {
  const std::size_t queue = is_stream(listener->transport) ? 0 : queue_;
  auto& door =
      doors_.add(std::make_unique<Door>(listener, waiter_, place_, Door::Manner{.rests = true, .queue = queue}));
  engine().post([this, queue, &door] {
    if (queue > 0) with_queues_.push_back(&door);
    door.open();
  });
}

bool SharedLoop::close() noexcept { return doors_.close() && !has_queued_.load(std::memory_order_acquire); }

bool SharedLoop::is_done() const noexcept {
  return doors_.are_closed() && !has_queued_.load(std::memory_order_acquire) && !anybody_away() &&
         waiter_.conversations() == 0;
}

// Who is away may have been placed by one of them, and settles with it.
void SharedLoop::drop(std::vector<std::unique_ptr<Door>>& closed) noexcept {
  if (anybody_away()) return;
  std::erase_if(closed, [this](const auto& door) {
    if (door->has_queued()) return false;
    std::erase(with_queues_, door.get());
    return true;
  });
  place_.forget_idle();
}

void SharedLoop::cut() {
  engine().post([this] { engine().cancel_all(); });
}

void SharedLoop::end() {
  engine().post([this] { ending_ = true; });
}

void SharedLoop::lead(ReserveThread& self) noexcept {
  note_lead(self);
  LoopWaiter::take_up();
  HeldAnswers answers;
  // The door that placed the conversation which is late, and then the rest of that turn.
  Door* const left_behind = place_.take_resting();
  if (left_behind) left_behind->go_on(true);
  bool leads = serve_placed(answers) && finish_turn(answers);
  while (leads && !is_over()) {
    engine().begin_turn(next_look());
    waiter_.note_time();
    leads = finish_turn(answers);
  }
  if (leads)
    end_lead();
  else if (note_return())
    engine().wake();
}

// Nobody is away any more whose conversation could still ask for something, but it may have done so just now.
void SharedLoop::end_lead() noexcept {
  engine().begin_turn({});
  while (Operation* const operation = engine().next()) operation->parked.resume();
  // Those who are still here hold frames that only their own end can free.
  engine().cancel_all();
}

bool SharedLoop::is_over() const noexcept { return ending_ && !anybody_away(); }

bool SharedLoop::finish_turn(HeldAnswers& answers) noexcept {
  while (Operation* const operation = engine().next()) {
    const auto parked = operation->parked;
    if (operation->is_brief) {
      parked.resume();
      if (!serve_placed(answers)) return false;
    } else if (!waiter_.run([parked] { parked.resume(); })) {
      return false;
    }
  }
  // What was placed from within a request, as when everybody is cut.
  return serve_placed(answers) && (with_queues_.empty() || serve_queued(answers));
}

bool SharedLoop::serve_placed(HeldAnswers& answers) noexcept {
  while (place_.has_one()) {
    if (!serve(place_.take(), answers)) return false;
    if (Door* const door = place_.take_resting()) door->go_on(false);
  }
  return true;
}

// Some of each queue, so that receiving is not kept waiting.
bool SharedLoop::serve_queued(HeldAnswers& answers) noexcept {
  constexpr int in_a_row = 16;
  placed_queued_ = false;
  for (Door* const door : with_queues_) {
    for (int i = 0; i < in_a_row && door->has_queued() && door->place_queued(); ++i) {
      placed_queued_ = true;
      if (!serve(place_.take(), answers)) return false;
    }
    door->flush();
  }
  note_queues();
  return true;
}

void SharedLoop::note_queues() noexcept {
  const bool has_queued = std::ranges::any_of(with_queues_, &Door::has_queued);
  if (has_queued == has_queued_.load(std::memory_order_relaxed)) return;
  has_queued_.store(has_queued, std::memory_order_release);
  decisions_.note(has_queued ? Decisions::What::queues_datagrams : Decisions::What::handles_in_place, {});
}

// While a queue waits for places, the next look is soon: who gives a seat back tells doors, not queues.
Time SharedLoop::next_look() const noexcept {
  constexpr Millis soon{1};
  if (!has_queued_.load(std::memory_order_relaxed)) return never;
  return placed_queued_ ? Time{} : Clock::now() + soon;
}

bool SharedLoop::serve(PlacedConversation placed, HeldAnswers& answers) noexcept {
  if (watch_.hands_over_at_once() && hand_over_now()) {
    serve_apart(placed, answers);
    return false;
  }
  if (!waiter_.run([&] { placed.begin(waiter_, answers); })) {
    placed.settle_apart(answers);
    return false;
  }
  placed.settle(answers);
  return true;
}

// The loop has another leader already.
void SharedLoop::serve_apart(PlacedConversation& placed, HeldAnswers& answers) noexcept {
  const Time begun = Clock::now();
  waiter_.run_apart([&] { placed.begin(waiter_, answers); });
  placed.settle_apart(answers);
  watch_.note_duration(Clock::now() - begun);
}

}  // namespace superd
