#pragma once

#include <string>

#include "superd/async/task.h"
#include "superd/engines/engine.h"
#include "superd/net/socket.h"
#include "superd/serve/hosted_service.h"

namespace superd {

/// What the programs of a service write to their standard error output: a line of the log for each of theirs, as many a
/// second as log_rate allows, for nobody else's lines shall be lost by it. Belongs to the engine's thread, and lasts as long
/// as its process and `hosted`.
class ProgramErrors {
 public:
  /// Without a pipe (out of descriptors), writing_end() is -1.
  ProgramErrors(Engine& engine, HostedService& hosted);
  ProgramErrors(const ProgramErrors&) = delete;
  ProgramErrors& operator=(const ProgramErrors&) = delete;

  /// One for all of them. A program that writes faster than we read waits.
  [[nodiscard]] int writing_end() const noexcept { return ours_.fd(); }

 private:
  detached listen();
  void read_some();
  void take(std::string_view text);
  void log_line(std::string_view line) noexcept;

  Engine& engine_;
  HostedService& hosted_;
  Socket theirs_, ours_;
  Operation reading_;
  std::string begun_;  ///< a line whose end has not come
};

}  // namespace superd
