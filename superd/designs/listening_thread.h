#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "superd/base/thread.h"
#include "superd/designs/design.h"
#include "superd/engines/blocking.h"
#include "superd/engines/engine.h"
#include "superd/serve/door.h"

namespace superd {

/// A thread that takes clients in by blocking calls and serves them, or hands them on, as its Placement says: the
/// chapter's server loop. With one listener it blocks in accept(2) or recvmmsg(2) itself; with several, it waits for
/// all of them by poll(2) and serves whichever is ready, one client at a time.
class ListeningThread {
 public:
  /// Makes the Placement for the conversations; its argument blocks the listening thread.
  using MakePlacement = std::function<std::unique_ptr<Placement>(Waiter&)>;

  /// `batch`: how many datagrams are received at once.
  static Result<std::unique_ptr<ListeningThread>> start(const std::string& name, Listeners listeners, int batch,
                                                        const MakePlacement& make_placement);
  ~ListeningThread();

  bool close() noexcept;
  bool leave() noexcept;
  [[nodiscard]] bool has_ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  void cut() noexcept;

 private:
  ListeningThread() = default;
  void run() noexcept;

  Blocking blocking_;
  std::unique_ptr<Engine> poll_;  // only with several listeners
  std::unique_ptr<Placement> placement_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::atomic<bool> ended_{false};
  Thread thread_;
};

}  // namespace superd
