#include "superd/designs/loop_waiter.h"

namespace superd {

LoopWaiter::Passage& LoopWaiter::passage() noexcept {
  thread_local Passage here;
  return here;
}

bool LoopWaiter::wait(Operation& operation) noexcept {
  Passage& here = passage();
  if (here.is_inside) return engine_->wait(operation);
  if (!come_in(here)) {
    engine_->adopt(operation);
    return false;
  }
  // What follows on coming home ends the use of the engine: it stays in.
  const bool stays = operation.kind == Kind::home;
  const bool goes_on = engine_->wait(operation);
  if (goes_on && !stays) go_out(here);
  return goes_on;
}

void LoopWaiter::forget(Operation& operation) noexcept {
  if (!passage().is_inside) broken("a conversation ended outside of its loop");
  engine_->forget(operation);
}

}  // namespace superd
