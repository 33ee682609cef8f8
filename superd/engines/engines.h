#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "superd/base/error.h"
#include "superd/engines/engine.h"

namespace superd {

/// A row of the table of engines.
struct EngineEntry {
  std::string_view name;
  std::string_view what;
  /// An error where the kernel forbids it; the text names what else there is.
  Result<std::unique_ptr<Engine>> (*make)();
  /// The highest number of descriptors it can watch; 0: no bound of its own.
  int capacity;
  /// Its turns may be made by one thread after the other.
  bool changes_hands;
};

[[nodiscard]] std::span<const EngineEntry> engines() noexcept;
[[nodiscard]] const EngineEntry* find_engine(std::string_view name) noexcept;

Result<std::unique_ptr<Engine>> make_select();
Result<std::unique_ptr<Engine>> make_poll();
Result<std::unique_ptr<Engine>> make_epoll();
Result<std::unique_ptr<Engine>> make_io_uring();

}  // namespace superd
