#pragma once

#include <string>

#include "superd/async/task.h"
#include "superd/engines/engine.h"
#include "superd/net/socket.h"

namespace superd {

/// What the programs of a service write to their standard error output: a line of the log for each of theirs. Belongs to
/// the engine's thread, and lasts as long as its process.
class ProgramErrors {
 public:
  /// Without a pipe (out of descriptors), writing_end() is -1.
  ProgramErrors(Engine& engine, std::string service);
  ProgramErrors(const ProgramErrors&) = delete;
  ProgramErrors& operator=(const ProgramErrors&) = delete;

  /// One for all of them. A program that writes faster than we read waits.
  [[nodiscard]] int writing_end() const noexcept { return ours_.fd(); }

 private:
  detached listen();
  void read_some();
  void take(std::string_view text);
  void log_line(std::string_view line) const noexcept;

  Engine& engine_;
  const std::string service_;
  Socket theirs_, ours_;
  Operation reading_;
  std::string begun_;  ///< a line whose end has not come
};

}  // namespace superd
