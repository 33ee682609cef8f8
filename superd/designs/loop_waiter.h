#pragma once

#include <memory>
#include <utility>

#include "superd/designs/baton.h"
#include "superd/designs/watch.h"
#include "superd/engines/engine.h"

namespace superd {

/// An engine whose loop changes hands while a handler runs. The handler's thread may have lost the loop by the time that
/// it waits for something: then the operation goes to whoever has the loop now, and the conversation goes on there.
///
/// The thread that leads calls run() around each conversation that it begins or resumes. Outside of run(), and inside it
/// after the conversation has parked, the engine is its own.
class LoopWaiter final : public Waiter {
 public:
  LoopWaiter(std::unique_ptr<Engine> engine, Baton& baton, Watch& watch) noexcept
      : engine_(std::move(engine)), baton_(baton), watch_(watch) {}

  [[nodiscard]] Engine& engine() noexcept { return *engine_; }

  /// The leader: runs a conversation up to its next wait, during which the loop can be taken. False: it was.
  template <class Conversation>
  [[nodiscard]] bool run(Conversation conversation) noexcept {
    Passage& here = passage();
    go_out(here);
    conversation();
    return here.is_inside || come_in(here);
  }
  /// A conversation whose loop was given away before: every wait of it goes to the loop's leader.
  template <class Conversation>
  void run_apart(Conversation conversation) noexcept {
    passage() = {.turn = nobodys, .is_inside = false};
    conversation();
  }
  /// The leader, before anything else.
  static void take_up() noexcept { passage() = {}; }

  bool wait(Operation& operation) noexcept override;
  void forget(Operation& operation) noexcept override;
  void signal(Operation& operation) noexcept override { engine_->signal(operation); }
  void cancel(Operation& operation) noexcept override { engine_->cancel(operation); }

  /// The leader, after each Engine::begin_turn(): takes over the engine's time.
  void note_time() noexcept { set_now(engine_->now()); }

 private:
  /// Where the calling thread stands: in the engine, or in a conversation's code that began in this turn.
  struct Passage {
    Baton::Turn turn = 0;
    bool is_inside = true;
  };
  // Even, and never the baton's: such a thread has no loop.
  static constexpr Baton::Turn nobodys = ~Baton::Turn{0} - 1;

  static Passage& passage() noexcept;

  void go_out(Passage& here) noexcept {
    here = {.turn = baton_.begin(), .is_inside = false};
    watch_.arm();
  }
  bool come_in(Passage& here) noexcept { return here.is_inside = baton_.end(here.turn); }

  const std::unique_ptr<Engine> engine_;
  Baton& baton_;
  Watch& watch_;
};

}  // namespace superd
