#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "superd/designs/design.h"
#include "superd/engines/engine.h"
#include "superd/serve/door.h"

namespace superd {

/// The doors of one loop, as those see them who open and close them: one thread at a time, as in Design. A door that has
/// closed is given to the loop, for only there it is known when nothing refers to it any more.
class LoopDoors {
 public:
  /// In the loop's thread, soon and again while it says so: drops those of the doors that it can. They have closed.
  using Drop = std::function<void(std::vector<std::unique_ptr<Door>>& closed)>;

  LoopDoors(Engine& engine, Drop drop) : engine_(engine), drop_(std::move(drop)) {}

  Door& add(std::unique_ptr<Door> door) { return *doors_.emplace_back(std::move(door)); }

  // As Design does.
  bool close() noexcept;
  bool leave() noexcept;
  bool close_at(Listeners) noexcept;
  bool leave_at(Listeners) noexcept;
  [[nodiscard]] bool has_closed_at(Listeners) const noexcept;
  [[nodiscard]] bool are_closed() const noexcept;

 private:
  void give_away_closed();

  Engine& engine_;
  const Drop drop_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::atomic<std::size_t> given_away_{0};     // and not dropped yet
  std::vector<std::unique_ptr<Door>> closed_;  // the loop's
};

}  // namespace superd
