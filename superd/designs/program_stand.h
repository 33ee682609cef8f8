#pragma once

#include <memory>
#include <string>
#include <vector>

#include "superd/async/task.h"
#include "superd/designs/back_off.h"
#include "superd/designs/program_starter.h"
#include "superd/engines/engine.h"
#include "superd/serve/listener.h"

namespace superd {

/// Waits at the listeners of one service, and leaves them to a program that takes clients in by itself, until that has
/// ended ("wait" in inetd.conf). A program that ends again and again without having taken anybody in is started ever
/// more rarely: see BackOff. Belongs to the engine's thread.
class ProgramStand final : private EndOfChild {
 public:
  /// With one listener the program has it as its standard input, unless the service passes all of them (Program::Pass).
  ProgramStand(std::vector<std::shared_ptr<Listener>> listeners, Engine& engine, ProgramStarter& starter);

  void open() noexcept { stand(); }
  /// Starts no program any more; one that runs has the listeners until it ends.
  void close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

 private:
  void child_ended(const ProgramEnd&) noexcept override;
  detached stand();
  void tell_pause() const noexcept;
  /// When to look at the listeners again; never, while a program has them.
  Time start() noexcept;

  const std::vector<std::shared_ptr<Listener>> listeners_;
  Engine& engine_;
  ProgramStarter& starter_;
  std::vector<std::string> environment_;
  const Socket all_;  ///< epoll(7) of several listeners, so that one wait is for all
  Operation waiting_;
  // As many as a busy program that lets itself be started anew for each client may need.
  BackOff back_off_{40};
  bool is_running_ = false, closing_ = false, is_closed_ = false;
};

}  // namespace superd
