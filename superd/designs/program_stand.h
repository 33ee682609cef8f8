#pragma once

#include <memory>

#include "superd/async/task.h"
#include "superd/designs/back_off.h"
#include "superd/designs/brood.h"
#include "superd/engines/engine.h"
#include "superd/serve/listener.h"

namespace superd {

/// Waits at a listener, and leaves it to a program that takes clients in by itself, until that has ended ("wait" in
/// inetd.conf). A program that ends again and again without having taken anybody in is started ever more rarely: see
/// BackOff. Belongs to the engine's thread.
class ProgramStand final : public EndOfChild {
 public:
  /// `errors`: where the program's standard error output goes.
  ProgramStand(std::shared_ptr<Listener> listener, Engine& engine, Brood& brood, int errors)
      : listener_(std::move(listener)), engine_(engine), brood_(brood), errors_(errors) {}

  void open() noexcept { stand(); }
  /// Starts no program any more; one that runs has the listener until it ends.
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

  void child_ended() noexcept override;

 private:
  detached stand();
  /// When to look at the listener again; never, while a program has it.
  Time start() noexcept;

  const std::shared_ptr<Listener> listener_;
  Engine& engine_;
  Brood& brood_;
  const int errors_;
  Operation waiting_;
  // As many as a busy program that lets itself be started anew for each client may need.
  BackOff back_off_{40};
  bool is_running_ = false, closing_ = false, is_closed_ = false;
};

}  // namespace superd
