#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "superd/base/launcher.h"
#include "superd/designs/brood.h"
#include "superd/designs/program_errors.h"
#include "superd/engines/engine.h"

namespace superd {

/// Starts the program of one service, for whichever of its listeners: with the launcher, the control group and the error
/// output that all of them share. Belongs to the engine's thread, and must outlast the brood's children.
class ProgramStarter {
 public:
  /// An error where the program could never be started as it is wanted: see Launcher::make().
  static Result<std::unique_ptr<ProgramStarter>> make(HostedService&, Engine&, Brood&);

  /// It has `socket` as its standard input and output, or, where it is -1, nothing there and all of `listeners` from 3
  /// on. `later`: there is no process to be had, and nothing was taken. `not_at_all`: it cannot be run, which is logged,
  /// once in ten seconds, and counted; the seat was given back.
  Brood::Born start(int socket, std::span<const std::string> environment, Seat& seat, EndOfChild& end,
                    std::span<const int> listeners = {}) noexcept;

  /// Ends all that is in the service's control group, where it has one.
  void kill_group() noexcept { launcher_.kill_group(); }
  /// At the end.
  void drop_group() noexcept { launcher_.drop_group(); }
  [[nodiscard]] HostedService& hosted() noexcept { return hosted_; }

 private:
  ProgramStarter(HostedService&, Engine&, Brood&, Launcher&&);
  int errors_of(int socket);
  void note_failure(const Error&) noexcept;

  HostedService& hosted_;
  Engine& engine_;
  Brood& brood_;
  Launcher launcher_;
  const Socket nowhere_;
  std::optional<ProgramErrors> errors_;
  Time logged_{};
  int not_logged_ = 0;
};

}  // namespace superd
